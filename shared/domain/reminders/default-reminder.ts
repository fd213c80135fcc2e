import type { Decision } from '../decision.ts'
import { ReminderScheduled } from '../events.ts'
import { newReminder, reminderFact } from './new-reminder.ts'
import { timeOf } from './reminder-plan.ts'
import { isOpen, sameInstant, type RemindedTask } from './task-reminders.ts'

/** What an event says: that a task was due then, and when that became so. */
export interface GivenDueTime {
  dueAt: Date
  at: Date
}

/**
 * The reminder in the app that a task with a due time gets because the user's preferences say so; null when it gets none,
 * as one that has had it, has another at that very time, or is not due any more when `given` says. One whose time had passed
 * when the due time was given is not made: it would tell of what the user has just written.
 */
export function decideDefaultReminder(
  { task, reminders }: RemindedTask,
  given: GivenDueTime,
  { minutes, now, newId }: { minutes: number; now: Date; newId: () => string },
): Decision | null {
  // Of a task that has moved since, the event of its move decides.
  if (!isOpen(task) || !sameInstant(task.dueAt, given.dueAt)) return null
  const wanted = { origin: 'default', remindAt: null, offsetMinutes: minutes, channels: ['in_app'] } as const
  const time = timeOf(wanted, task)!
  const isThere = reminders.some(
    ({ origin, remindAt, deletedAt }) =>
      origin === 'default' || (deletedAt === null && sameInstant(remindAt, time)),
  )
  if (isThere || time <= given.at || given.dueAt <= now) return null
  const reminder = newReminder(task, wanted, { id: newId(), now })
  return {
    newReminders: [reminder],
    unchangedTasks: [{ id: task.id, version: task.version }],
    facts: [reminderFact(ReminderScheduled, reminder, task)],
  }
}
