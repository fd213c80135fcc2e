import { revise, type Decision, type KnownReminders } from './decision.ts'
import { DomainError, invalidField } from './errors.ts'
import {
  ReminderAcknowledged,
  ReminderCancelled,
  ReminderRescheduled,
  ReminderScheduled,
  ReminderSnoozed,
} from './events.ts'
import { newReminder, reminderFact } from './new-reminder.ts'
import { dueInstant, timeOf } from './reminder-plan.ts'
import {
  MOST_REMINDERS,
  type Reminder,
  type ReminderInput,
  type ReminderPatch,
  type SnoozeRequest,
} from './reminder.ts'
import { isOpen, moveReminder, sameInstant, type RemindedTask } from './task-reminders.ts'
import type { Task } from './task.ts'

/** A decision about one reminder, with the reminder as it is afterwards: the answer to the request. */
export interface ReminderDecision extends Decision {
  reminder: Reminder
}

interface State {
  task: Task
  reminder: Reminder
}

const MS_PER_MINUTE = 60_000

/** One more reminder of an open task, at a time that is still to come. */
export function decideAdd(
  { task, reminders }: RemindedTask,
  input: ReminderInput,
  { id, now }: { id: string; now: Date },
): ReminderDecision {
  mustBeOpen(task)
  if (reminders.length >= MOST_REMINDERS) {
    throw new DomainError('reminder.too_many', `A task has at most ${MOST_REMINDERS} reminders.`)
  }
  const when = whenOf(input)
  mustBeToCome(when, task, now)
  const reminder = newReminder(task, { origin: 'user', ...when, channels: input.channels }, { id, now })
  const knownReminders: KnownReminders = {
    taskIds: [task.id],
    reminders: reminders.map((known) => ({ id: known.id, version: known.version })),
  }
  return {
    ...{ reminder, newReminders: [reminder], ...restingOn(task), knownReminders },
    facts: [reminderFact(ReminderScheduled, reminder)],
  }
}

/** A merge patch: another time, absolute or relative, that is still to come, or other channels. */
export function decideReminderEdit(
  { task, reminder }: State,
  patch: ReminderPatch,
  now: Date,
): ReminderDecision {
  const { channels = reminder.channels } = patch
  const when = patch.remind_at === undefined && patch.offset_minutes === undefined ? reminder : whenOf(patch)
  const isSameTime =
    when.offsetMinutes === reminder.offsetMinutes &&
    (when.offsetMinutes !== null || sameInstant(when.remindAt, reminder.remindAt))
  if (isSameTime && JSON.stringify(channels) === JSON.stringify(reminder.channels)) return unchanged(reminder)
  if (isSameTime) return changed({ task, reminder }, { channels }, ReminderRescheduled, now)

  mustNotBeOfTask(reminder)
  mustBeOpen(task)
  const time = mustBeToCome(when, task, now)
  const moved = moveReminder({ ...reminder, offsetMinutes: when.offsetMinutes, channels }, time, {
    task,
    now,
  })
  return changed({ task, reminder }, moved, ReminderRescheduled, now)
}

/** Once more later, at a time that the user names, in place of all that was to come; never before its own time. */
export function decideSnooze({ task, reminder }: State, request: SnoozeRequest, now: Date): ReminderDecision {
  mustBeOpen(task)
  const until = 'until' in request ? request.until : new Date(now.getTime() + request.minutes * MS_PER_MINUTE)
  if (until <= now) throw invalidField('until', 'must be in the future')
  const { fireAt, remindAt } = reminder
  if (fireAt && fireAt > now && sameInstant(fireAt, remindAt) && until < fireAt) {
    const field = 'until' in request ? 'until' : 'minutes'
    throw invalidField(field, `must reach beyond ${fireAt.toISOString()}, when it comes first`)
  }
  const edits = { snoozedUntil: until, fireAt: until, acknowledgedAt: null }
  return changed({ task, reminder }, edits, ReminderSnoozed, now)
}

/** The user has seen it: nothing more is to come. Acknowledging what is acknowledged or cancelled changes nothing. */
export function decideAcknowledge({ task, reminder }: State, now: Date): ReminderDecision {
  if (reminder.acknowledgedAt || reminder.cancelledAt) return unchanged(reminder)
  const edits = { acknowledgedAt: now, fireAt: null, snoozedUntil: null }
  return changed({ task, reminder }, edits, ReminderAcknowledged, now)
}

/** Takes a reminder away for good. */
export function decideRemove({ task, reminder }: State, now: Date): ReminderDecision {
  mustNotBeOfTask(reminder)
  return changed({ task, reminder }, { deletedAt: now, fireAt: null }, ReminderCancelled, now)
}

const unchanged = (reminder: Reminder): ReminderDecision => ({ reminder, facts: [] })

function changed(
  { task, reminder }: State,
  edits: Partial<Reminder>,
  definition: Parameters<typeof reminderFact>[0],
  now: Date,
): ReminderDecision {
  const after = revise({ ...reminder, ...edits, version: reminder.version }, now, {})
  return {
    ...{ reminder: after, changedReminders: [after], ...restingOn(task) },
    facts: [reminderFact(definition, after)],
  }
}

/** A task that is closed or moved meanwhile would have taken the reminder along. */
const restingOn = ({ id, version }: Task) => ({ unchangedTasks: [{ id, version }] })

const whenOf = (input: { remind_at?: Date | undefined; offset_minutes?: number | undefined }) => ({
  remindAt: input.remind_at ?? null,
  offsetMinutes: input.offset_minutes ?? null,
})

function mustBeToCome(when: ReturnType<typeof whenOf>, task: Task, now: Date): Date {
  const field = when.offsetMinutes === null ? 'remind_at' : 'offset_minutes'
  if (when.offsetMinutes !== null && !dueInstant(task)) {
    throw invalidField(field, 'counts from when the task is due, and this one is not due')
  }
  const time = timeOf(when, task)!
  if (time <= now) throw invalidField(field, `must be in the future; this is ${time.toISOString()}`)
  return time
}

function mustBeOpen(task: Task): void {
  if (isOpen(task)) return
  const closed = task.deletedAt ? 'deleted' : 'completed'
  throw new DomainError('reminder.not_open', `The task is ${closed}; nobody is reminded of it.`)
}

function mustNotBeOfTask({ origin }: Reminder): void {
  if (origin !== 'task') return
  throw new DomainError('reminder.of_task', "This is the task's own reminder: change the task's remind_at.")
}
