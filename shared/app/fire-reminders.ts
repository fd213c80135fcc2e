import { decideFiring } from '../domain/fire-reminder.ts'
import { toChange } from './commit-decision.ts'
import type { Deps } from './ports.ts'
import type { Claim, DueReminder } from './reminder-ports.ts'

/** A worker that dies while it fires keeps its reminders from the others for so long. */
export const LEASE_MS = 30_000
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
  { limit = BATCH, reminderId }: { limit?: number; reminderId?: string } = {},
): Promise<number> {
  let done = 0
  const failures: unknown[] = []
  for (;;) {
    const claim = newClaim(deps, limit)
    const due =
      reminderId === undefined
        ? await deps.dueReminders.claimDue(claim)
        : await deps.dueReminders.claimOne(reminderId, claim)
    const results = await Promise.allSettled(due.map((reminder) => fire(deps, reminder, claim)))
    for (const result of results) {
      if (result.status === 'rejected') failures.push(result.reason)
      else if (result.value) done += 1
    }
    if (done > 0) deps.publishing.wake()
    if (due.length < limit) break
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} reminders could not be fired; they are tried again`, {
      cause: failures[0],
    })
  }
  return done
}

/** Decides and commits; when the task or the reminder changed meanwhile, again with what they are now. */
async function fire(deps: Firing, first: DueReminder, firstClaim: Claim): Promise<boolean> {
  const { id, userId } = first.reminder
  let due: DueReminder | undefined = first
  let claim = firstClaim
  for (let attempt = 1; due && attempt <= ATTEMPTS; attempt += 1) {
    const decision = decideFiring(due, claim.now, deps.ids.uuid)
    if (!decision) return false
    const origin = {
      ...{ userId, now: claim.now, trace: null },
      actor: { type: 'system' as const, id: 'reminders', on_behalf_of: userId },
    }
    const { outcome } = await deps.changes.commit(toChange(deps, origin, decision))
    if (outcome === 'applied') return true
    claim = { ...newClaim(deps, 1), renews: claim.leaseUntil }
    due = (await deps.dueReminders.claimOne(id, claim))[0]
  }
  if (due) deps.log.warn({ reminder_id: id }, 'a reminder kept changing; the next sweep fires it')
  return false
}

function newClaim({ clock }: Firing, limit: number): Claim {
  const now = clock.now()
  return { now, leaseUntil: new Date(now.getTime() + LEASE_MS), limit }
}
