import type { MadeBy } from '../../domain/actor.ts'
import { decideFiring } from '../../domain/reminders/fire-reminder.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import { newClaim } from '../new-claim.ts'
import type { Claim, Deps } from '../ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import type { DueReminder } from './ports.ts'

/** A worker that dies while it fires keeps its reminders from the others for so long. */
const LEASE_MS = 30_000
const BATCH = 500
const ATTEMPTS = 5

export type Firing = Pick<Deps, 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'dueReminders'>

/**
 * Fires every reminder whose time has come, or one of them if it has, batch by batch until nothing is due. It may be
 * called at any time, by any number of workers, and be cut off anywhere: what is due is in the rows, and each firing is
 * one commit. Resolves to how many it dealt with; rejects, after all others, when one could not be dealt with.
 */
export async function fireDue(
  deps: Firing,
  madeBy: MadeBy,
  { limit = BATCH, reminderId }: { limit?: number; reminderId?: string } = {},
): Promise<number> {
  let done = 0
  const failures: unknown[] = []
  for (;;) {
    const claim = newClaim(deps, LEASE_MS, limit)
    const due =
      reminderId === undefined
        ? await deps.dueReminders.claimDue(claim)
        : await deps.dueReminders.claimOne(reminderId, claim)
    const results = await Promise.allSettled(due.map((reminder) => fire(deps, reminder, { claim, madeBy })))
    for (const result of results) {
      if (result.status === 'rejected') failures.push(result.reason)
      else if (result.value) done += 1
    }
    if (done > 0) deps.publishing.wake()
    if (due.length === 0 || reminderId !== undefined) break
  }
  if (failures.length > 0) {
    throw new Error(`failed to fire ${failures.length} reminders; retrying`, {
      cause: failures[0],
    })
  }
  return done
}

/** Decides and commits; when the task or the reminder changed meanwhile, again with what they are now. */
async function fire(
  deps: Firing,
  first: DueReminder,
  { claim: firstClaim, madeBy }: { claim: Claim; madeBy: MadeBy },
): Promise<boolean> {
  const { id, userId } = first.reminder
  let claim = firstClaim
  const claimAgain = async () => {
    claim = { ...newClaim(deps, LEASE_MS, 1), renews: claim.leaseUntil }
    return (await deps.dueReminders.claimOne(id, claim))[0]
  }
  const hasFired = await retryOnConflict(ATTEMPTS, async (attempt) => {
    const due = attempt === 1 ? first : await claimAgain()
    const decision = due && decideFiring(due, claim.now, deps.ids.uuid)
    if (!decision) return false
    const origin = systemOrigin('reminders', { userId, now: claim.now, madeBy })
    const { outcome } = await deps.changes.commit(toChange(deps, origin, decision))
    if (outcome === 'account_deleted') return false
    return outcome === 'applied' || 'conflict'
  })
  if (hasFired !== 'conflict') return hasFired
  deps.log.warn({ reminder_id: id }, 'skipped reminder that kept changing; the next sweep fires it')
  return false
}
