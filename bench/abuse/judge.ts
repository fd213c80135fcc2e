import type { Window } from './innocents.ts'
import type { LoneRequest } from './lone-requests.ts'
import type { Kind } from './observed.ts'
import type { Watched } from './watch.ts'

/** No request of the innocent takes longer than so many times its p99 in quiet times. */
export const MAX_TIMES_QUIET = 10
/**
 * A shorter p99 than this counts as this. Load, service and database share two cores, where waiting for one's turn and a
 * garbage collection take this long by themselves; and up to 200 ms nobody notices.
 */
const LEAST_QUIET_MS = 20
/** The same of what is not an answer but follows by itself; docs/security.md says how late that may be beside hosts that hang. */
const LEAST_QUIET_SIGNAL_MS = 250
export const MAX_BUSY_MS = 50
export const MAX_RSS_MIB = 768

const SIGNALS: readonly Kind[] = ['next occurrence', 'reminder', 'webhook']

export interface Flood {
  scenario: string
  got: Record<string, number>
  told: string
  innocent: Window
  server: Watched
  /** Seconds until everything that the attack left behind was done. */
  settledIn: number
}

export interface Slowest {
  kind: Kind
  ms: number
  limitMs: number
  /** How many times its p99 in quiet times. */
  timesQuiet: number
}

/** Of fewer values a p99 is chance. */
const ENOUGH = 20

/**
 * The p99 of each kind in quiet times: just before and after a flood or, of what is rare, in all so far; of what never
 * happened in quiet times, that of everything.
 */
export function quietOf(around: readonly Window[], all: readonly Window[]): (kind: Kind) => number {
  const taken = (windows: readonly Window[], kind: Kind) =>
    windows.flatMap((window) => window.latencies.get(kind) ?? [])
  return (kind) => {
    const near = taken(around, kind)
    const rare = taken(all, kind)
    const everything = () => all.flatMap(({ latencies }) => [...latencies.values()].flat())
    const p99 = at(0.99, near.length >= ENOUGH ? near : rare.length > 0 ? rare : everything())
    return Math.max(SIGNALS.includes(kind) ? LEAST_QUIET_SIGNAL_MS : LEAST_QUIET_MS, p99)
  }
}

/** The kind that came closest to its limit, or went furthest beyond it. */
export function slowestOf({ innocent }: Flood, quiet: (kind: Kind) => number): Slowest | null {
  const each = [...innocent.latencies].map(([kind, latencies]) => {
    const ms = Math.round(at(1, latencies))
    return {
      kind,
      ms,
      timesQuiet: Math.round((ms / quiet(kind)) * 10) / 10,
      limitMs: Math.round(MAX_TIMES_QUIET * quiet(kind) + innocent.ownDelayMs),
    }
  })
  return each.toSorted((a, b) => b.ms / b.limitMs - a.ms / a.limitMs)[0] ?? null
}

/** What nothing excuses, as sentences. */
export const wrongIn = ({ scenario, innocent, got }: Flood): string[] => [
  ...(innocent.wrong.length > 0 ? [`${scenario}: ${innocent.wrong.length} wrong answers`] : []),
  ...(Object.keys(got).length === 0 ? [`${scenario}: there was no attack`] : []),
]

/** The limits of time and memory that this flood exceeded, as sentences. */
export function exceededBy(flood: Flood, quiet: (kind: Kind) => number): string[] {
  const { scenario, server } = flood
  const slowest = slowestOf(flood, quiet)
  return [
    ...(slowest && slowest.ms > slowest.limitMs
      ? [`${scenario}: ${slowest.kind} took ${slowest.ms} ms, more than ${slowest.limitMs}`]
      : []),
    // What grew before is told of where it grew.
    ...(server.rssMiB > MAX_RSS_MIB && server.rssBeforeMiB <= MAX_RSS_MIB
      ? [`${scenario}: memory reached ${server.rssMiB} MiB, more than ${MAX_RSS_MIB}`]
      : []),
  ]
}

export const brokenByLone = (requests: readonly LoneRequest[]): string[] =>
  requests
    .filter(({ busyMs }) => busyMs > MAX_BUSY_MS)
    .map(({ name, busyMs }) => `${name}: kept the loop for ${busyMs} ms, more than ${MAX_BUSY_MS}`)

/** The value below which this share of the sorted values lies; 0 of none. */
export function at(share: number, values: readonly number[]): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
