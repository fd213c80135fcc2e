import { decideNotification, type NewNotification } from '../notifications/new-notification.ts'
import { createdFact } from '../notifications/notification-facts.ts'
import { firingFact } from '../notifications/delivery-plan.ts'
import { fact, revise, type Decision, type Fact } from '../decision.ts'
import { ReminderCancelled, ReminderRescheduled, ReminderTriggered } from '../events.ts'
import { notificationRecord, type Delivery } from '../notifications/notification.ts'
import type { Audience } from '../notifications/notification-preferences.ts'
import { describeDue } from '../notifications/describe-due.ts'
import { reminderData, reminderFact } from './new-reminder.ts'
import { LATE_AFTER_MS, nextRepetition, timeOf } from './reminder-plan.ts'
import type { Reminder } from './reminder.ts'
import { moveReminder } from './task-reminders.ts'
import type { Task } from '../tasks/task.ts'

export interface Firing {
  reminder: Reminder
  task: Task | null
  audience: Audience
  /** Whether a firing at this `fireAt` is in the ledger. */
  hasFired: boolean
  /** Where other reminders of the task have notified for this `fireAt`. */
  alreadyNotified: readonly Pick<Delivery, 'channel' | 'target'>[]
}

/**
 * What becomes of a reminder that may be due; null while it is not. It fires, unless its task is done with (then it is
 * cancelled) or due at another time than it was set for (then it is set anew). The decision rests on the task as it is.
 */
export function decideFiring(firing: Firing, now: Date, newId: () => string): Decision | null {
  const { reminder, task, hasFired } = firing
  if (!reminder.fireAt || reminder.fireAt > now) return null
  if (!task || task.deletedAt || task.completedAt) {
    const cancelled = revise(reminder, now, { cancelledAt: now, fireAt: null })
    return reminderChanged(cancelled, task, reminderFact(ReminderCancelled, cancelled, task))
  }
  const time = timeOf(reminder, task)
  if (time?.getTime() !== reminder.remindAt?.getTime()) {
    const moved = revise(reminder, now, moveReminder(reminder, time, { task, now }))
    return reminderChanged(moved, task, reminderFact(ReminderRescheduled, moved, task))
  }
  const fired = revise(reminder, now, {
    firedAt: reminder.fireAt,
    fireAt: reminder.acknowledgedAt ? null : nextRepetition(reminder, task.priority, now),
  })
  // It was set back to a time at which it has fired before.
  if (hasFired) return reminderChanged(fired, task, reminderFact(ReminderRescheduled, fired, task))
  return announced({ ...firing, task, fired, fireAt: reminder.fireAt }, now, newId)
}

const reminderChanged = (reminder: Reminder, task: Task | null, happened: Fact): Decision => ({
  changedReminders: [reminder],
  ...(task && { unchangedTasks: [{ id: task.id, version: task.version }] }),
  facts: [happened],
})

function announced(
  { task, audience, alreadyNotified, fired, fireAt }: Firing & { task: Task; fired: Reminder; fireAt: Date },
  now: Date,
  newId: () => string,
): Decision {
  const notification: NewNotification['notification'] = {
    id: newId(),
    userId: fired.userId,
    source: `reminder/${fired.id}/${fireAt.toISOString()}`,
    type: 'reminder',
    taskId: task.id,
    reminderId: fired.id,
    title: task.title,
    body: describeDue(task, audience.timeZone, now),
    late: now.getTime() - fireAt.getTime() > LATE_AFTER_MS,
    createdAt: now,
    readAt: null,
  }
  const { newNotifications, newDeliveries, facts } = decideNotification(
    { notification, channels: fired.channels, isUrgent: task.priority === 'high', fireAt, alreadyNotified },
    audience,
    { now, newId },
  )
  const isSent = ({ state }: Delivery) => state !== 'cancelled'
  const channels = [...new Set(newDeliveries.filter(isSent).map(({ channel }) => channel))]
  const rows = { newNotifications, newDeliveries, unchangedTasks: [{ id: task.id, version: task.version }] }
  if (channels.length === 0) {
    // The one that has notified repeats, and is what the user acknowledges.
    const silent = { ...fired, fireAt: null }
    const happened = [reminderFact(ReminderRescheduled, silent, task), createdFact(notification)]
    return { ...rows, changedReminders: [silent], facts: happened }
  }
  // At once, when nothing is left for anybody to carry out.
  const sent = firingFact(notification, newDeliveries)
  const triggered = fact(ReminderTriggered, `reminder/${fired.id}`, {
    ...reminderData(fired, task, newDeliveries),
    notification: notificationRecord(notification),
    fire_at: fireAt.toISOString(),
    channels,
    task_priority: task.priority,
    due_at: task.dueAt?.toISOString() ?? null,
    due_date: task.dueDate,
    time_zone: task.timeZone,
  })
  return {
    ...rows,
    changedReminders: [fired],
    facts: [triggered, ...facts, ...(sent ? [sent] : [])],
  }
}
