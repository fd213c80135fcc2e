import type { Report } from '../faults/client.ts'
import { checkReplay, type Fault, type Violation } from '../faults/oracle.ts'
import { tellAudiences } from './firings.ts'
import { checkLedger } from './ledger.ts'
import type { Entry } from './journal.ts'
import type { Follower } from './reader.ts'
import { checkRest } from './rest.ts'
import { replayModel } from './replay-model.ts'
import type { ReminderWorld } from './world.ts'

export interface ReminderEvidence {
  reports: readonly Report[]
  followers: readonly Follower[]
  /** Rows that want something kept coming. */
  isRestless: boolean
}

/** Judges a world at rest: by what was committed and sent, by its tables, and by what clients were told and saw. */
export async function judge(
  world: ReminderWorld,
  { reports, followers, isRestless }: ReminderEvidence,
): Promise<Violation[]> {
  const violations: Violation[] = []
  const fault: Fault = (rule, detail) => violations.push({ rule, detail })
  const { journal, users } = world
  if (isRestless) fault('everything comes to an end', [...journal.upcoming].join('; '))
  for (const entry of journal.entries) {
    if (entry.kind === 'spin') fault('nobody looks without a pause', `${entry.process} for ${entry.question}`)
  }
  const audiences = tellAudiences(journal.entries, users)
  const told = replayModel(journal.entries, { reports, audiences, fault })
  for (const reminder of told.reminders.values()) {
    if (reminder.next !== null) fault('no reminder is missed', JSON.stringify(reminder))
  }
  const ledger = checkLedger(journal.entries, audiences, fault)
  await checkRest(world, { told, ledger, followers }, fault)
  checkReports(journal.entries, reports, fault)
  // Preferences are given by users.ts, without an event.
  for (const { id } of users) await checkReplay(world.sql, id, fault, ['notification_preferences'])
  return violations
}

const KEPT_MS = 18 * 3_600_000

/** An accepted write happened once, a refused one not at all, and every retry got the first answer. */
function checkReports(entries: readonly Entry[], reports: readonly Report[], fault: Fault): void {
  const changes = entries.flatMap((entry) => (entry.kind === 'change' ? [entry.change] : []))
  const byTrace = Map.groupBy(changes, ({ events }) => events[0]?.trace?.traceparent.split('-')[1])
  for (const { command, traceId, outcome, answers } of reports) {
    const what = `${command.name} ${command.path}`
    const caused = (byTrace.get(traceId) ?? []).filter(({ events }) => actorOf(events[0]) === command.userId)
    if (outcome === 'refused' && caused.length > 0) fault('a refused write changes nothing', what)
    // An answer is kept for a day, by clocks that jump by hours here.
    const isForgotten = caused.some(({ at }) => at.getTime() - caused[0]!.at.getTime() > KEPT_MS)
    if (caused.length > 1 && !isForgotten)
      fault('an accepted write happens once', `${what}: ${caused.length} times`)
    if (outcome !== 'accepted') continue
    if (new Set(answers).size > 1 && !isForgotten)
      fault('a retry gets the first answer', `${what}: ${answers.join(' | ')}`)
    const isNew = command.name === 'remind' || command.name === 'create'
    if (isNew && caused.length === 0)
      fault('an accepted write happens once', `${what}: ${caused.length} times`)
  }
}

const actorOf = (event: { data: unknown } | undefined): string | undefined =>
  (event?.data as { actor?: { id: string } } | undefined)?.actor?.id
