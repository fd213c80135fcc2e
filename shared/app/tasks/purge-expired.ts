import { DAY_MS } from '../../domain/durations.ts'
import { RESTORE_DAYS } from '../../domain/tasks/close-task.ts'
import { eraseAccounts } from '../auth/account/erase-accounts.ts'
import type { Deps } from '../ports.ts'

/** Longer than the broker keeps any message that a consumer marks (7 days), so a late redelivery is still known. */
const KEEP_MARKS_DAYS = 8
/** How far back the ledger and the list in the app go. */
const KEEP_NOTIFICATIONS_DAYS = 90
const KEEP_DEAD_LETTERS_DAYS = 14
/** Those whose rows these are cannot write meanwhile, so it is soon over. */
const BATCH = 200

/**
 * Removes what has had its time: stored answers, dedupe marks, deleted tasks with their reminders, notifications with
 * their deliveries, resolved dead letters, sessions, API tokens, tickets, counts of failed sign-ins, and what is left of deleted accounts. In
 * batches, until nothing is left.
 */
export async function purgeExpired(
  deps: Pick<Deps, 'housekeeping' | 'accounts' | 'clock' | 'log' | 'settings'>,
): Promise<void> {
  await eraseAccounts(deps)
  const now = deps.clock.now()
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const limits = {
    marksBefore: daysAgo(KEEP_MARKS_DAYS),
    deletedBefore: daysAgo(RESTORE_DAYS),
    batch: BATCH,
    notificationsBefore: daysAgo(KEEP_NOTIFICATIONS_DAYS),
    resolvedBefore: daysAgo(KEEP_DEAD_LETTERS_DAYS),
    notificationsPerUser: deps.settings.quotas.notifications,
  }
  let removed = 0
  for (;;) {
    const count = await deps.housekeeping.purge(now, limits)
    removed += count
    if (count < BATCH) break
  }
  if (removed > 0) deps.log.info({ removed }, 'removed expired rows')
}
