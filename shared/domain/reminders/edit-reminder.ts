import { revise, type Decision, type KnownReminders } from '../decision.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError, invalidField } from '../errors.ts'
import {
  ReminderAcknowledged,
  ReminderCancelled,
  ReminderRescheduled,
  ReminderScheduled,
  ReminderSnoozed,
} from '../events.ts'
import type { Moment } from '../fields.ts'
import { instantOf } from '../recurrence/wall-clock.ts'
import { newReminder, reminderFact } from './new-reminder.ts'
import { dueInstant, mustBeAhead, timeOf } from './reminder-plan.ts'
import {
  MAX_REMINDERS,
  type Reminder,
  type ReminderInput,
  type ReminderPatch,
  type SnoozeRequest,
} from './reminder.ts'
import { isOpen, moveReminder, sameInstant, type RemindedTask } from './task-reminders.ts'
import type { Task } from '../tasks/task.ts'

export interface ReminderDecision extends Decision {
  reminder: Reminder
}

interface State {
  task: Task
  reminder: Reminder
}

export function decideAdd(
  { task, reminders }: RemindedTask,
  input: ReminderInput,
  { id, now }: { id: string; now: Date },
): ReminderDecision {
  mustBeOpen(task)
  if (reminders.filter(({ origin }) => origin !== 'default').length >= MAX_REMINDERS) {
    throw new DomainError('reminder.too_many', `A task has at most ${MAX_REMINDERS} reminders.`)
  }
  const reminder = added(task, input, { id, now })
  const knownReminders: KnownReminders = {
    taskIds: [task.id],
    reminders: reminders.map((known) => ({ id: known.id, version: known.version })),
  }
  return {
    reminder,
    newReminders: [reminder],
    ...restingOn(task),
    knownReminders,
    facts: [reminderFact(ReminderScheduled, reminder, task)],
  }
}

/** Those that a task is made with. */
export function decideFirst(
  task: Task,
  inputs: readonly ReminderInput[],
  { now, newId }: { now: Date; newId: () => string },
): Required<Pick<Decision, 'newReminders' | 'facts'>> {
  const newReminders = inputs.map((input) => added(task, input, { id: newId(), now }))
  return {
    newReminders,
    facts: newReminders.map((reminder) => reminderFact(ReminderScheduled, reminder, task)),
  }
}

function added(task: Task, input: ReminderInput, context: { id: string; now: Date }): Reminder {
  const when = whenOf(input, task)
  const time = mustBeToCome(when, task, context.now)
  const made = newReminder(task, { origin: 'user', ...when, channels: input.channels }, context)
  return time > context.now ? made : { ...made, fireAt: null }
}

/** A merge patch: another time, absolute or relative, that is still to come, or other channels. */
export function decideReminderEdit(
  { task, reminder }: State,
  patch: ReminderPatch,
  now: Date,
): ReminderDecision {
  const { channels = reminder.channels } = patch
  const when =
    patch.remind_at === undefined && patch.offset_minutes === undefined ? reminder : whenOf(patch, task)
  const isSameTime =
    when.offsetMinutes === reminder.offsetMinutes &&
    (when.offsetMinutes !== null || sameInstant(when.remindAt, reminder.remindAt))
  if (isSameTime && JSON.stringify(channels) === JSON.stringify(reminder.channels)) return unchanged(reminder)
  if (isSameTime) return changed({ task, reminder }, { channels }, ReminderRescheduled, now)

  mustNotBeOfTask(reminder)
  mustBeOpen(task)
  const time = mustBeToCome(when, task, now)
  const edited = { ...reminder, offsetMinutes: when.offsetMinutes, channels }
  const moved =
    time > now
      ? moveReminder(edited, time, { task, now })
      : { ...edited, remindAt: time, fireAt: null, snoozedUntil: null }
  return changed({ task, reminder }, moved, ReminderRescheduled, now)
}

/** Once more later, at a time that the user names, in place of all that was to come; never before its own time. */
export function decideSnooze({ task, reminder }: State, request: SnoozeRequest, now: Date): ReminderDecision {
  mustBeOpen(task)
  const until =
    'until' in request
      ? instantOf(request.until, task.timeZone)
      : new Date(now.getTime() + request.minutes * MINUTE_MS)
  mustBeAhead('until', until, now)
  const { fireAt, remindAt } = reminder
  if (fireAt && fireAt > now && sameInstant(fireAt, remindAt) && until < fireAt) {
    const field = 'until' in request ? 'until' : 'minutes'
    throw invalidField(field, `must be after ${fireAt.toISOString()}, when it first fires`)
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
    reminder: after,
    changedReminders: [after],
    ...restingOn(task),
    facts: [reminderFact(definition, after, task)],
  }
}

/** A task that is closed or moved meanwhile would have taken the reminder along. */
const restingOn = ({ id, version }: Task) => ({ unchangedTasks: [{ id, version }] })

const whenOf = (
  input: { remind_at?: Moment | undefined; offset_minutes?: number | undefined },
  { timeZone }: Task,
) => ({
  remindAt: instantOf(input.remind_at ?? null, timeZone),
  offsetMinutes: input.offset_minutes ?? null,
})

/** When it fires first. Minutes before the due time of a series count for the occurrences to come, if not for this one. */
function mustBeToCome(when: ReturnType<typeof whenOf>, task: Task, now: Date): Date {
  const field = when.offsetMinutes === null ? 'remind_at' : 'offset_minutes'
  if (when.offsetMinutes !== null && !dueInstant(task)) {
    throw invalidField(field, 'requires a task with a due time or date')
  }
  const time = timeOf(when, task)!
  if (when.offsetMinutes === null || task.recurrenceRule === null) mustBeAhead(field, time, now)
  return time
}

function mustBeOpen(task: Task): void {
  if (isOpen(task)) return
  const closed = task.deletedAt ? 'deleted' : 'completed'
  throw new DomainError('reminder.not_open', `The task is ${closed}; reminders require an open task.`)
}

function mustNotBeOfTask({ origin }: Reminder): void {
  if (origin !== 'task') return
  throw new DomainError('reminder.of_task', "This is the task's own reminder: change the task's remind_at.")
}
