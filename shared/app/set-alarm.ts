import type { Deps } from './ports.ts'

/**
 * Has the scheduler call when a reminder fires next, or not at all, as its row says by now. A scheduler that is away is
 * left alone: the sweep finds the reminder without it. Rejects when the row cannot be read.
 */
export async function setAlarm(
  { dueReminders, alarms, log }: Pick<Deps, 'dueReminders' | 'alarms' | 'log'>,
  reminderId: string,
): Promise<void> {
  const fireAt = await dueReminders.fireAtOf(reminderId)
  try {
    await (fireAt ? alarms.set(reminderId, fireAt) : alarms.cancel(reminderId))
  } catch (err) {
    log.warn({ err, reminder_id: reminderId }, 'the scheduler did not take an alarm; the sweep sees to it')
  }
}
