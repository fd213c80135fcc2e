import { ReminderScheduled } from './events.ts'
import { newReminder, reminderFact } from './new-reminder.ts'
import { dueInstant } from './reminder-plan.ts'
import type { Reminder } from './reminder.ts'
import type { ReminderChanges, RemindedTask } from './task-reminders.ts'
import type { Task } from './task.ts'
import { instantToWall, wallToInstant } from './wall-clock.ts'

/**
 * The next occurrence of a series with the reminders that the last one had, whatever had become of them: relative ones
 * as they are, absolute ones (the task's own `remind_at` among them) as far from the due time as clocks on the wall show.
 */
export function carryReminders(
  last: RemindedTask | null,
  next: Task,
  { now, newId }: { now: Date; newId: () => string },
): Pick<ReminderChanges, 'newReminders' | 'facts'> & { task: Task } {
  if (!last) return { task: next, newReminders: [], facts: [] }
  const task = { ...next, remindAt: last.task.remindAt && carried(last.task.remindAt, last.task, next) }
  const ofUser = last.reminders.filter(({ origin }) => origin === 'user')
  const ofTask = last.reminders.find(({ origin }) => origin === 'task')
  const wanted = [
    ...ofUser.map(({ origin, remindAt, offsetMinutes, channels }) => ({
      ...{ origin, offsetMinutes, channels },
      remindAt: offsetMinutes === null && remindAt ? carried(remindAt, last.task, next) : null,
    })),
    ...(task.remindAt ? [{ ...OF_TASK, remindAt: task.remindAt, channels: ofTask?.channels ?? null }] : []),
  ]
  const newReminders = wanted.map((one) => newReminder(task, one, { id: newId(), now }))
  return {
    ...{ task, newReminders },
    facts: newReminders.map((reminder) => reminderFact(ReminderScheduled, reminder)),
  }
}

const OF_TASK = { origin: 'task', offsetMinutes: null } as const satisfies Partial<Reminder>

/** An instant as far from when the next task is due as it was from when the last one was. */
function carried(instant: Date, last: Task, next: Task): Date {
  const lastDue = dueInstant(last)
  const [from, to] = lastDue ? [lastDue, dueInstant(next)] : [last.occurrenceAt, next.occurrenceAt]
  const distance = wallMs(instant, last.timeZone) - wallMs(from!, last.timeZone)
  const wall = new Date(wallMs(to!, next.timeZone) + distance)
  return wallToInstant(wall.toISOString().slice(0, -1), next.timeZone)
}

/** What the clocks of a zone show, as if it were UTC: such times have distances that people count in. */
const wallMs = (instant: Date, timeZone: string): number => Date.parse(`${instantToWall(instant, timeZone)}Z`)
