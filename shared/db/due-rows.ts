import type { DueRows } from '../app/capabilities.ts'

/**
 * How much work there is, and will be within the half minute that a pod needs to start. What a worker has claimed counts
 * until it is done, so that it is not taken away. KEDA asks this (knative/keda/), with a role that may only read.
 */
export const DUE_ROWS: Readonly<Record<DueRows, string>> = {
  dueReminders: `select count(*) from reminders where fire_at <= now() + interval '30 seconds'`,
  // What is to be sent, tried again, or leaves quiet hours, and digests of the day.
  deliveries:
    `select (select count(*) from deliveries where next_attempt_at <= now() + interval '30 seconds') + ` +
    `(select count(*) from notification_preferences where next_digest_at <= now() + interval '30 seconds')`,
  // Younger ones are just being published by the process that wrote them.
  outbox: `select count(*) from outbox where time < now() - interval '10 seconds'`,
}
