import { decideAnnouncement } from './announce.ts'
import { firingFact } from './delivery-plan.ts'
import { fact, revise, type Decision, type Fact } from './decision.ts'
import { ReminderCancelled, ReminderRescheduled, ReminderTriggered } from './events.ts'
import { notificationView, type Notification } from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { describeDue } from './describe-due.ts'
import { reminderFact } from './new-reminder.ts'
import { LATE_AFTER_MS, nextRepetition, timeOf } from './reminder-plan.ts'
import { reminderView, type Reminder } from './reminder.ts'
import { moveReminder } from './task-reminders.ts'
import type { Task } from './task.ts'

/** All that decides what becomes of a reminder whose time has come. */
export interface Firing {
  reminder: Reminder
  /** Null when it has been purged. */
  task: Task | null
  audience: Audience
  /** Whether a firing at this `fireAt` is in the ledger. */
  hasFired: boolean
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
    return settled(cancelled, task, reminderFact(ReminderCancelled, cancelled))
  }
  const time = timeOf(reminder, task)
  if (time?.getTime() !== reminder.remindAt?.getTime()) {
    const moved = revise(reminder, now, moveReminder(reminder, time, { task, now }))
    return settled(moved, task, reminderFact(ReminderRescheduled, moved))
  }
  const fired = revise(reminder, now, {
    firedAt: reminder.fireAt,
    fireAt: reminder.acknowledgedAt ? null : nextRepetition(reminder, task.priority, now),
  })
  // It was set back to a time at which it has fired before.
  if (hasFired) return settled(fired, task, reminderFact(ReminderRescheduled, fired))
  return announced({ ...firing, task, fired, fireAt: reminder.fireAt }, now, newId)
}

/** The reminder's row changes and nobody is told. */
const settled = (reminder: Reminder, task: Task | null, happened: Fact): Decision => ({
  changedReminders: [reminder],
  ...(task && { unchangedTasks: [{ id: task.id, version: task.version }] }),
  facts: [happened],
})

function announced(
  { task, audience, fired, fireAt }: Firing & { task: Task; fired: Reminder; fireAt: Date },
  now: Date,
  newId: () => string,
): Decision {
  const notification: Notification = {
    ...{ id: newId(), userId: fired.userId, source: `reminder/${fired.id}/${fireAt.toISOString()}` },
    ...{ type: 'reminder', taskId: task.id, reminderId: fired.id },
    ...{ title: task.title, body: describeDue(task, audience.timeZone, now) },
    late: now.getTime() - fireAt.getTime() > LATE_AFTER_MS,
    ...{ createdAt: now, readAt: null },
  }
  const { newNotifications, newDeliveries, facts } = decideAnnouncement(
    { notification, channels: fired.channels, isUrgent: task.priority === 'high', fireAt },
    audience,
    { now, newId, factsBefore: 1 },
  )
  const channels = [...new Set(newDeliveries.map(({ channel }) => channel))]
  // At once, when nothing is left for anybody to carry out.
  const sent = firingFact(notification, newDeliveries)
  const triggered = fact(ReminderTriggered, `reminder/${fired.id}`, {
    reminder: reminderView(fired, newDeliveries),
    notification: notificationView(notification),
    ...{ fire_at: fireAt.toISOString(), channels },
  })
  return {
    ...{ changedReminders: [fired], newNotifications, newDeliveries },
    unchangedTasks: [{ id: task.id, version: task.version }],
    facts: [triggered, ...facts, ...(sent ? [sent] : [])],
  }
}
