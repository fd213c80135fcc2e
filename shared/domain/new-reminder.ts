import { fact, type Fact } from './decision.ts'
import type {
  ReminderAcknowledged,
  ReminderCancelled,
  ReminderRescheduled,
  ReminderScheduled,
  ReminderSnoozed,
} from './events.ts'
import { dueInstant, timeOf } from './reminder-plan.ts'
import { reminderView, type Reminder } from './reminder.ts'
import type { Task } from './task.ts'

type Wanted = Pick<Reminder, 'origin' | 'remindAt' | 'offsetMinutes' | 'channels'>

/** A reminder of an open task as it begins: with its next firing, if there is to be one. */
export function newReminder(task: Task, wanted: Wanted, { id, now }: { id: string; now: Date }): Reminder {
  const remindAt = timeOf(wanted, task)
  return {
    ...{ id, userId: task.userId, taskId: task.id, ...wanted },
    ...{ remindAt, fireAt: remindAt && firstFiring(remindAt, task, now) },
    ...{ firedAt: null, snoozedUntil: null, acknowledgedAt: null, cancelledAt: null, deletedAt: null },
    ...{ version: 1, createdAt: now, updatedAt: now },
  }
}

/**
 * When a reminder fires that has not fired yet: at its time; at once when its time has passed and the task is still to
 * come; never when the task has been due as well.
 */
export function firstFiring(time: Date, task: Task, now: Date): Date | null {
  if (time > now) return time
  const due = dueInstant(task)
  return due && due > now ? now : null
}

type ReminderEvent =
  | typeof ReminderScheduled
  | typeof ReminderRescheduled
  | typeof ReminderCancelled
  | typeof ReminderSnoozed
  | typeof ReminderAcknowledged

export const reminderFact = (definition: ReminderEvent, reminder: Reminder): Fact =>
  fact(definition, `reminder/${reminder.id}`, { reminder: reminderView(reminder) })
