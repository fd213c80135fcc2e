import type { Deps } from '../ports.ts'

/**
 * Has the scheduler call when a reminder fires next, or not at all, as its row says by now. A scheduler that is away is
 * left alone: the sweep finds the reminder without it. Rejects when the row cannot be read.
 *
 * With `after`, a firing up to then is left to whoever has claimed it: an alarm for it would ring at once, again and again.
 */
export async function setAlarm(
  { dueReminders, alarms, log }: Pick<Deps, 'dueReminders' | 'alarms' | 'log'>,
  reminderId: string,
  after?: Date,
): Promise<void> {
  const fireAt = await dueReminders.fireAtOf(reminderId)
  if (fireAt && after && fireAt <= after) return
  try {
    await (fireAt ? alarms.set(reminderId, fireAt) : alarms.cancel(reminderId))
  } catch (err) {
    log.warn({ err, reminder_id: reminderId }, 'failed to schedule reminder job; the sweep will fire it')
  }
}
