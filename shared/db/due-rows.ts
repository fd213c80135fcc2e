import type { DueRows } from '../app/capabilities.ts'

/**
 * How much work there is, and will be within the half minute that a pod needs to start. What a worker has claimed counts
 * until it is done, so that it is not taken away. KEDA asks this every few seconds, with a role that may only read.
 */
export const DUE_ROWS: Readonly<Record<DueRows, string>> = {
  dueReminders: `select count(*) from reminders where fire_at <= now() + interval '30 seconds'`,
  // What is to be sent, tried again, or leaves quiet hours, and digests of the day; and what is about to be sent, so that
  // who sends is awake when the reminder fires.
  deliveries:
    `select (select count(*) from deliveries where next_attempt_at <= now() + interval '30 seconds') + ` +
    `(select count(*) from notification_preferences where next_digest_at <= now() + interval '30 seconds') + ` +
    `(select count(*) from reminders where fire_at <= now() + interval '30 seconds')`,
  // Younger ones are just being published by the process that wrote them.
  outbox: `select count(*) from outbox where time < now() - interval '10 seconds'`,
  // Older than the gap that an ordinary event leaves. What a day of tries has not repaired wakes nobody any more.
  waitingSeries:
    `select count(*) from series where state = 'active' and live_task_id is null ` +
    `and updated_at between now() - interval '1 day' and now() - interval '1 minute'`,
}

/** What these read, and who counts may. */
export const DUE_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  reminders: ['fire_at'],
  deliveries: ['next_attempt_at'],
  notification_preferences: ['next_digest_at'],
  outbox: ['time'],
  series: ['state', 'live_task_id', 'updated_at'],
}
