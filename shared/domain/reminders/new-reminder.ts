import { fact, type Fact } from '../decision.ts'
import type {
  ReminderAcknowledged,
  ReminderCancelled,
  ReminderRescheduled,
  ReminderScheduled,
  ReminderSnoozed,
} from '../events.ts'
import { dueInstant, timeOf } from './reminder-plan.ts'
import { reminderRecord, type Reminder } from './reminder.ts'
import type { Delivery } from '../notifications/notification.ts'
import type { Task } from '../tasks/task.ts'

type Wanted = Pick<Reminder, 'origin' | 'remindAt' | 'offsetMinutes' | 'channels'>

export function newReminder(task: Task, wanted: Wanted, { id, now }: { id: string; now: Date }): Reminder {
  const remindAt = timeOf(wanted, task)
  return {
    id,
    userId: task.userId,
    taskId: task.id,
    ...wanted,
    remindAt,
    timeZone: task.timeZone,
    fireAt: remindAt && firstFiring(remindAt, task, now),
    firedAt: null,
    snoozedUntil: null,
    acknowledgedAt: null,
    cancelledAt: null,
    deletedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
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

/** What every event of a reminder says; `task` is null when it has been purged. */
export const reminderData = (
  reminder: Reminder,
  task: Pick<Task, 'title'> | null,
  deliveries: readonly Delivery[] = [],
) => ({
  reminder: reminderRecord(reminder, deliveries),
  task_title: task?.title ?? null,
  scheduled_for: reminder.fireAt?.toISOString() ?? null,
})

export const reminderFact = (definition: ReminderEvent, reminder: Reminder, task: Task | null): Fact =>
  fact(definition, `reminder/${reminder.id}`, reminderData(reminder, task))
