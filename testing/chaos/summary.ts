import type { Person } from './client.ts'
import type { Round } from './load.ts'
import type { Delivery } from './observer.ts'
import type { Hook } from './receivers.ts'
import type { Firing } from './reminder-model.ts'
import { seconds, type Recovery } from './soak.ts'

export interface Outcome {
  people: readonly Person[]
  rounds: readonly Round[]
  recoveries: readonly Recovery[]
  taskEvents: readonly Delivery[]
  events: number
  sweeps: number
  firings: readonly Firing[]
  hooks: readonly Hook[]
  mails: readonly string[]
  /** How often a stream had to be opened again. */
  returns: number
}

/** What happened, in lines for people. */
export function summary(outcome: Outcome): string[] {
  const { people, rounds, recoveries, taskEvents, events, sweeps, firings, hooks, mails, returns } = outcome
  const reports = people.flatMap((person) => person.reports)
  const count = (end: string) => reports.filter((report) => report.outcome === end).length
  const repeats = taskEvents.length - new Set(taskEvents.map(({ id }) => id)).size
  return [
    `${reports.length} commands: ${count('accepted')} accepted, ${count('refused')} refused, ${count('unknown')} left open`,
    `${events} events in sequence; ${repeats} deliveries of task-events were repeats; the sweep made ${sweeps} occurrences`,
    `answered within: ${quantiles(people.flatMap(({ waits }) => waits))}`,
    `next occurrence within: ${quantiles(rounds.map(({ begunAt, endedAt }) => endedAt - begunAt))}`,
    `${firings.length} reminders fired; ${mails.length} mails, ${new Set(hooks.map(({ id }) => id)).size} webhooks with ${hooks.length} messages; streams were opened again ${returns} times`,
    `reminders fired after they were due: ${quantiles(firings.map(({ fireAt, firedAt }) => firedAt - fireAt))}`,
    `${recoveries.length} disruptions; the worst of each kind (back after, longest wait for a next occurrence):`,
    ...table(recoveries),
  ]
}

function quantiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => seconds(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, worst ${at(1)}`
}

function table(recoveries: readonly Recovery[]): string[] {
  const kinds = [...Map.groupBy(recoveries, ({ name }) => name)].toSorted(([a], [b]) => a.localeCompare(b))
  return kinds.map(([name, times]) => {
    const waits = times.map(({ waitMs }) => waitMs).filter((ms) => ms !== null)
    const back = seconds(Math.max(...times.map(({ backMs }) => backMs)))
    const wait = waits.length > 0 ? seconds(Math.max(...waits)) : '-'
    return `  ${back.padStart(8)} ${wait.padStart(8)}  ${name}${times.length > 1 ? ` (${times.length} times)` : ''}`
  })
}
