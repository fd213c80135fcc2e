import { RESTORE_DAYS } from '../domain/close-task.ts'
import type { Deps } from './ports.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Longer than the broker keeps any message that a consumer marks (7 days), so a late redelivery is still known. */
const KEEP_MARKS_DAYS = 8
/** How far back the ledger and the list in the app go. */
const KEEP_TOLD_DAYS = 90
const KEEP_SETTLED_DAYS = 14
const BATCH = 1000

/**
 * Removes what has had its time: stored answers, dedupe marks, deleted tasks with their reminders, notifications with
 * their deliveries, settled dead letters, sessions, tickets, counts of failed sign-ins. In batches, until nothing is left.
 */
export async function purgeExpired(deps: Deps): Promise<void> {
  const now = deps.clock.now()
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const limits = {
    ...{ marksBefore: daysAgo(KEEP_MARKS_DAYS), deletedBefore: daysAgo(RESTORE_DAYS), batch: BATCH },
    ...{ toldBefore: daysAgo(KEEP_TOLD_DAYS), settledBefore: daysAgo(KEEP_SETTLED_DAYS) },
  }
  let removed = 0
  for (;;) {
    const count = await deps.housekeeping.purge(now, limits)
    removed += count
    if (count < BATCH) break
  }
  if (removed > 0) deps.log.info({ removed }, 'expired rows removed')
}
