import { ReminderCancelled, ReminderScheduled } from '../events.ts'
import { newReminder, reminderFact } from './new-reminder.ts'
import { dueInstant } from './reminder-plan.ts'
import type { Reminder } from './reminder.ts'
import type { ReminderChanges, RemindedTask } from './task-reminders.ts'
import type { Task } from '../tasks/task.ts'
import { wallMs, wallMsToInstant } from '../recurrence/wall-clock.ts'

/**
 * The next occurrence of a series with the reminders that the last one had, whatever had become of them: relative ones
 * as they are, absolute ones (the task's own `remind_at` among them) as far from the due time as clocks on the wall show.
 * A default one that was removed stays removed, and one whose time had passed when the last was closed does not fire.
 */
export function carryReminders(
  last: RemindedTask | null,
  next: Task,
  { now, newId, closedAt }: { now: Date; newId: () => string; closedAt: Date },
  moved = (instant: Date): Date => carried(instant, last!.task, next),
): Pick<ReminderChanges, 'newReminders' | 'facts'> & { task: Task } {
  if (!last) return { task: next, newReminders: [], facts: [] }
  const task = { ...next, remindAt: last.task.remindAt && moved(last.task.remindAt) }
  const others = last.reminders.filter(({ origin }) => origin !== 'task')
  const ofTask = last.reminders.find(({ origin }) => origin === 'task')
  const wanted = [
    ...others.map(({ origin, remindAt, offsetMinutes, channels, deletedAt }) => ({
      origin,
      offsetMinutes,
      channels,
      remindAt: offsetMinutes === null && remindAt ? moved(remindAt) : null,
      isRemoved: deletedAt !== null,
    })),
    ...(task.remindAt
      ? [{ ...OF_TASK, remindAt: task.remindAt, channels: ofTask?.channels ?? null, isRemoved: false }]
      : []),
  ]
  const newReminders = wanted.map(({ isRemoved, ...one }) => {
    const made = newReminder(task, one, { id: newId(), now })
    if (isRemoved) return { ...made, fireAt: null, deletedAt: now }
    const isTooLate = made.origin === 'default' && made.remindAt !== null && made.remindAt <= closedAt
    return isTooLate ? { ...made, fireAt: null } : made
  })
  return {
    task,
    newReminders,
    facts: newReminders.map((reminder) =>
      reminderFact(reminder.deletedAt ? ReminderCancelled : ReminderScheduled, reminder, task),
    ),
  }
}

const OF_TASK = { origin: 'task', offsetMinutes: null } as const satisfies Partial<Reminder>

/** An instant as far from when the next task is due as it was from when the last one was. */
function carried(instant: Date, last: Task, next: Task): Date {
  const isOfDue = dueInstant(last) !== null
  const distance = wallMs(instant, last.timeZone) - placeOf(last, isOfDue)
  return wallMsToInstant(placeOf(next, isOfDue) + distance, next.timeZone)
}

/** When a task is due, or where it stands in its series when it was not. */
function placeOf(task: Task, isOfDue: boolean): number {
  if (isOfDue) return wallMs(dueInstant(task)!, task.timeZone)
  return task.seriesTerms?.isAllDay ? task.occurrenceAt!.getTime() : wallMs(task.occurrenceAt!, task.timeZone)
}
