import { revise, type Decision, type Fact } from '../decision.ts'
import { ReminderCancelled, ReminderRescheduled, ReminderScheduled } from '../events.ts'
import { firstFiring, newReminder, reminderFact } from './new-reminder.ts'
import { dueInstant, nextRepetition, repeats, timeOf } from './reminder-plan.ts'
import type { Reminder } from './reminder.ts'
import type { Task } from '../tasks/task.ts'

/** A task as it is going to be, with its reminders as they are: all that the user has not removed, the default one even then. */
export interface RemindedTask {
  task: Task
  reminders: readonly Reminder[]
}

export type ReminderChanges = Required<Pick<Decision, 'newReminders' | 'changedReminders' | 'facts'>>

/**
 * What becomes of the reminders of tasks that change. It follows from the tasks alone, so that asking twice changes
 * nothing more: relative reminders follow the due time, the task's own follows its `remind_at`, and those of a task that
 * is closed are cancelled until it is opened again.
 */
export function remindersFollowing(
  tasks: readonly RemindedTask[],
  { now, newId }: { now: Date; newId: () => string },
): ReminderChanges {
  const followed = tasks.map(({ task, reminders }) => ({
    task,
    reminders: reminders.map((before) => ({ before, after: follow(before, task, now) })),
  }))
  const changed = followed
    .flatMap(({ task, reminders }) => reminders.map((one) => ({ task, ...one })))
    .filter(({ before, after }) => !isSame(before, after))
    .map(({ task, before, after }) => ({ task, before, after: revise(before, now, after) }))
  const made = followed
    .filter(({ task, reminders }) => {
      const hasItsOwn = reminders.some(({ after }) => after.origin === 'task' && after.deletedAt === null)
      return isOpen(task) && task.remindAt && task.remindAt > now && !hasItsOwn
    })
    .map(({ task }) => {
      const wanted = { origin: 'task', remindAt: task.remindAt, offsetMinutes: null, channels: null } as const
      return { task, reminder: newReminder(task, wanted, { id: newId(), now }) }
    })
  return {
    newReminders: made.map(({ reminder }) => reminder),
    changedReminders: changed.map(({ after }) => after),
    facts: [
      ...changed.map(changeFact),
      ...made.map(({ task, reminder }) => reminderFact(ReminderScheduled, reminder, task)),
    ],
  }
}

export const concernsReminders = (before: Task, after: Task): boolean =>
  isOpen(before) !== isOpen(after) ||
  !sameInstant(dueInstant(before), dueInstant(after)) ||
  !sameInstant(before.remindAt, after.remindAt) ||
  (repeats(before.priority) && !repeats(after.priority))

export const isOpen = ({ completedAt, deletedAt }: Task): boolean =>
  completedAt === null && deletedAt === null

function follow(reminder: Reminder, task: Task, now: Date): Reminder {
  if (reminder.deletedAt) return reminder
  const time = reminder.origin === 'task' ? task.remindAt : timeOf(reminder, task)
  const isMoved = !sameInstant(time, reminder.remindAt)
  if (isMoved && reminder.origin === 'task' && (time === null || time <= now)) {
    return { ...reminder, fireAt: null, deletedAt: now }
  }
  const moved = isMoved ? moveReminder(reminder, time, { task, now }) : reminder
  if (!isOpen(task)) return cancel(moved, now)
  if (moved.cancelledAt) return { ...moved, cancelledAt: null, fireAt: toCome(moved, task, now) }
  return repeats(task.priority) || !isRepetition(moved) ? moved : { ...moved, fireAt: null }
}

/**
 * A reminder with another time. One in the future is to come whatever was before. One that has passed ends neither the
 * repetitions of a reminder that the user has had nor what they have put off; a reminder that they have not had is made up
 * for at once where the task is still to come, unless it is the default one: they know what they have just written.
 */
export function moveReminder(
  reminder: Reminder,
  time: Date | null,
  { task, now }: { task: Task; now: Date },
): Reminder {
  const moved = { ...reminder, remindAt: time, timeZone: task.timeZone }
  if (time === null) return { ...moved, fireAt: null, snoozedUntil: null }
  const { firedAt, acknowledgedAt, snoozedUntil } = reminder
  if (time > now && !sameInstant(time, firedAt)) {
    return { ...moved, fireAt: time, acknowledgedAt: null, snoozedUntil: null }
  }
  if (firedAt || acknowledgedAt || snoozedUntil) {
    return sameInstant(reminder.fireAt, reminder.remindAt) ? { ...moved, fireAt: null } : moved
  }
  return { ...moved, fireAt: reminder.origin === 'default' ? null : firstFiring(time, task, now) }
}

/** What is to come is the reminder once more, not its own time or the end of a snooze. */
const isRepetition = ({ firedAt, fireAt, remindAt, snoozedUntil }: Reminder): boolean =>
  firedAt !== null && fireAt !== null && !sameInstant(fireAt, remindAt) && !sameInstant(fireAt, snoozedUntil)

/** What has come and gone is not cancelled: it stays what it is in the history. */
function cancel(reminder: Reminder, now: Date): Reminder {
  const isOver = reminder.fireAt === null && (reminder.firedAt !== null || reminder.acknowledgedAt !== null)
  if (isOver) return reminder
  return { ...reminder, fireAt: null, cancelledAt: reminder.cancelledAt ?? now }
}

/** The next firing of a reminder whose task is open again: what has passed meanwhile is not made up for. */
function toCome(reminder: Reminder, task: Task, now: Date): Date | null {
  const { remindAt, firedAt, acknowledgedAt, snoozedUntil } = reminder
  if (acknowledgedAt) return null
  if (snoozedUntil && snoozedUntil > now) return snoozedUntil
  const first = snoozedUntil ?? remindAt
  if (first && firedAt && first <= now && firedAt >= first)
    return nextRepetition(reminder, task.priority, now)
  return remindAt && remindAt > now && !sameInstant(remindAt, firedAt) ? remindAt : null
}

/** Also where clients see no difference: the row has one. */
function changeFact({ task, before, after }: { task: Task; before: Reminder; after: Reminder }): Fact {
  const isGone = (reminder: Reminder) => reminder.cancelledAt !== null || reminder.deletedAt !== null
  const isOver = after.deletedAt !== null || (isGone(after) && !isGone(before))
  return reminderFact(isOver ? ReminderCancelled : ReminderRescheduled, after, task)
}

const isSame = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b)

export const sameInstant = (a: Date | null, b: Date | null): boolean => a?.getTime() === b?.getTime()
