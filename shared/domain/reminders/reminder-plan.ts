import { MINUTE_MS } from '../durations.ts'
import { invalidField } from '../errors.ts'
import type { Reminder } from './reminder.ts'
import type { Priority, Task } from '../tasks/task.ts'
import { wallToInstant } from '../recurrence/wall-clock.ts'

/** A task that is due on a day is due at this time of its zone as far as reminders go. */
const ALL_DAY_AT = '09:00'
/** From then on a reminder says that it is late. */
export const LATE_AFTER_MS = 60_000

/** How insistent a reminder is: the priority's reminder multiplier, as times and distances (docs/reminders.md). */
const REPETITIONS: Record<Priority, { most: number; everyMs: number }> = {
  high: { most: 5, everyMs: 10 * MINUTE_MS },
  medium: { most: 0, everyMs: 0 },
  low: { most: 0, everyMs: 0 },
}

/** The instant that relative reminders count back from. */
export function dueInstant({
  dueAt,
  dueDate,
  timeZone,
}: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>): Date | null {
  if (dueAt) return dueAt
  return dueDate ? wallToInstant(`${dueDate}T${ALL_DAY_AT}`, timeZone) : null
}

/** When a reminder of this task is to fire first; null while it is relative to a due time that the task does not have. */
export function timeOf(
  { offsetMinutes, remindAt }: Pick<Reminder, 'offsetMinutes' | 'remindAt'>,
  task: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>,
): Date | null {
  if (offsetMinutes === null) return remindAt
  const due = dueInstant(task)
  return due && new Date(due.getTime() - offsetMinutes * MINUTE_MS)
}

export function mustBeAhead(field: string, time: Date, now: Date): void {
  if (time <= now) throw invalidField(field, `must be in the future; this is ${time.toISOString()}`)
}

export const repeats = (priority: Priority): boolean => REPETITIONS[priority].most > 0

/**
 * When a reminder that fires now fires again, unless it is acknowledged before: in steps counted from its time or the end
 * of its snooze, so that a late firing neither shifts nor piles up the others. Null when it was the last.
 */
export function nextRepetition(
  { remindAt, snoozedUntil }: Pick<Reminder, 'remindAt' | 'snoozedUntil'>,
  priority: Priority,
  now: Date,
): Date | null {
  const first = snoozedUntil ?? remindAt
  const { most, everyMs } = REPETITIONS[priority]
  if (!first || most === 0) return null
  const step = Math.max(1, Math.floor((now.getTime() - first.getTime()) / everyMs) + 1)
  return step <= most ? new Date(first.getTime() + step * everyMs) : null
}
