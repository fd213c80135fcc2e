import { at, MAX_RSS_MIB, slowestOf, type Flood, type Slowest } from './judge.ts'
import type { Window } from './innocents.ts'
import type { LoneRequest } from './lone-requests.ts'
import type { Kind } from './observed.ts'

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  row(head),
  row(head.map(() => '---')),
  ...rows.map(row),
]
const rounded = (ms: number): number => Math.round(ms * 10) / 10

const counts = (got: Record<string, number>): string =>
  Object.entries(got)
    .toSorted(([a], [b]) => (a === 'sent' ? -1 : b === 'sent' ? 1 : a.localeCompare(b)))
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ')

/** All windows as one distribution, of every kind of request but sign-ins, which are slow by intention. */
export function latenciesOf({ latencies }: Pick<Window, 'latencies'>): number[] {
  return [...latencies].flatMap(([kind, values]) => (WAITS.has(kind) ? [] : values))
}
const WAITS = new Set<Kind>(['sign-in', 'sign-in elsewhere', 'next occurrence', 'reminder', 'webhook'])

export function quietTable(windows: readonly Window[]): string[] {
  const kinds = [...new Set(windows.flatMap(({ latencies }) => [...latencies.keys()]))]
  return table(
    ['in quiet times', 'count', 'p50 ms', 'p99 ms', 'max ms'],
    kinds.toSorted().map((kind) => {
      const values = windows.flatMap(({ latencies }) => latencies.get(kind) ?? [])
      return [kind, values.length, ...[0.5, 0.99, 1].map((share) => rounded(at(share, values)))]
    }),
  )
}

const closeness = (slowest: Slowest | null): string =>
  slowest ? `${slowest.kind}: ${slowest.ms} ms, ${slowest.timesQuiet} × quiet` : 'nothing was asked'

export function floodTable(floods: readonly { flood: Flood; quiet: (kind: Kind) => number }[]): string[] {
  return table(
    [
      'flood',
      'what the attackers sent and got',
      'innocent requests',
      'wrong',
      'p50 ms',
      'p99 ms',
      'max ms',
      'closest to its limit',
      'reminders late by ms',
      'loop delay ms',
      'loop busy ms',
      'memory MiB',
      'settled in s',
    ],
    floods.map(({ flood, quiet }) => {
      const { scenario, got, told, innocent, server, settledIn } = flood
      const values = latenciesOf(innocent)
      return [
        scenario,
        [counts(got), told].filter((text) => text !== '').join('; '),
        values.length,
        innocent.wrong.length,
        ...[0.5, 0.99, 1].map((share) => rounded(at(share, values))),
        closeness(slowestOf(flood, quiet)),
        Math.max(0, ...(innocent.latencies.get('reminder') ?? [])),
        server.delayMs,
        server.busyMs,
        `${server.rssMiB} (limit ${MAX_RSS_MIB})`,
        settledIn,
      ]
    }),
  )
}

export const loneTable = (requests: readonly LoneRequest[]): string[] =>
  table(
    ['one request at a time', 'status', 'ms', 'loop busy ms'],
    requests.map(({ name, status, ms, busyMs }) => [name, status, ms, busyMs]),
  )
