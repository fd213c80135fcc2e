import type { Channel } from '../../shared/domain/notifications/notification.ts'
import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import type { Task } from '../../shared/domain/tasks/task.ts'
import { instantOf } from './wall-clock.ts'

/** A reminder as its user would describe it, from what was asked for alone. Times in ms. */
export interface ModelReminder {
  id: string
  taskId: string
  origin: Reminder['origin']
  offsetMinutes: number | null
  channels: readonly Channel[] | null
  time: number | null
  next: number | null
  fired: number | null
  snoozed: number | null
  isAcknowledged: boolean
  isCancelled: boolean
  isRemoved: boolean
  /** Every planned time at which it has fired. */
  firings: Set<number>
}

const MINUTE_MS = 60_000
/** A task that is due on a day is due then, as far as reminders go. */
const MORNING = '09:00:00'
const REPETITIONS = 5
const REPEAT_MS = 10 * MINUTE_MS

export const ms = (date: Date | null): number | null => date && date.getTime()

export const isOpen = (task: Task): boolean => !task.completedAt && !task.deletedAt

export const dueOf = (task: Task): number | null =>
  ms(task.dueAt) ?? (task.dueDate ? instantOf(`${task.dueDate}T${MORNING}`, task.timeZone) : null)

export function timeBefore(task: Task, offsetMinutes: number): number | null {
  const due = dueOf(task)
  return due === null ? null : due - offsetMinutes * MINUTE_MS
}

/** A reminder that begins: at its time, or at once where that has passed and the task is still ahead. */
export function beginReminder(
  task: Task,
  wanted: Pick<ModelReminder, 'id' | 'origin' | 'offsetMinutes' | 'channels' | 'time'>,
  now: number,
): ModelReminder {
  const time = wanted.offsetMinutes === null ? wanted.time : timeBefore(task, wanted.offsetMinutes)
  return {
    ...wanted,
    taskId: task.id,
    time,
    next: firstFiring(task, time, now),
    fired: null,
    snoozed: null,
    isAcknowledged: false,
    isCancelled: false,
    isRemoved: false,
    firings: new Set(),
  }
}

function firstFiring(task: Task, time: number | null, now: number): number | null {
  if (time === null || time > now) return time
  const due = dueOf(task)
  return due !== null && due > now ? now : null
}

/** The reminder gets another time. */
export function moveTo(reminder: ModelReminder, time: number | null, task: Task, now: number): void {
  const wasAhead = reminder.next !== null && reminder.next === reminder.time
  reminder.time = time
  if (time === null) {
    Object.assign(reminder, { next: null, snoozed: null })
  } else if (time > now && time !== reminder.fired) {
    Object.assign(reminder, { next: time, snoozed: null, isAcknowledged: false })
  } else if (reminder.fired === null && !reminder.isAcknowledged && reminder.snoozed === null) {
    reminder.next = reminder.origin === 'default' ? null : firstFiring(task, time, now)
  } else if (wasAhead) {
    reminder.next = null
  }
}

/** What follows for a reminder from a task that has changed. */
export function follow(reminder: ModelReminder, task: Task, now: number): void {
  const time =
    reminder.origin === 'task'
      ? ms(task.remindAt)
      : reminder.offsetMinutes === null
        ? reminder.time
        : timeBefore(task, reminder.offsetMinutes)
  if (time !== reminder.time) {
    if (reminder.origin === 'task' && (time === null || time <= now)) {
      Object.assign(reminder, { next: null, isRemoved: true })
      return
    }
    moveTo(reminder, time, task, now)
  }
  if (!isOpen(task)) {
    const isOver = reminder.next === null && (reminder.fired !== null || reminder.isAcknowledged)
    if (!isOver) Object.assign(reminder, { next: null, isCancelled: true })
  } else if (reminder.isCancelled) {
    Object.assign(reminder, { next: stillAhead(reminder, task, now), isCancelled: false })
  } else if (task.priority !== 'high' && reminder.fired !== null) {
    // Nobody is to be pressed any more.
    if (reminder.next !== reminder.time && reminder.next !== reminder.snoozed) reminder.next = null
  }
}

/** What a reopened task's reminder still has before it. */
function stillAhead(reminder: ModelReminder, task: Task, now: number): number | null {
  const { time, fired, snoozed, isAcknowledged } = reminder
  if (isAcknowledged) return null
  if (snoozed !== null && snoozed > now) return snoozed
  const first = snoozed ?? time
  if (first !== null && first <= now && fired !== null && fired >= first)
    return repetition(reminder, task, now)
  return time !== null && time > now && time !== fired ? time : null
}

/** It fires as planned; really at `now`. */
export function fire(reminder: ModelReminder, task: Task, now: number): void {
  reminder.firings.add(reminder.next!)
  reminder.fired = reminder.next
  reminder.next = reminder.isAcknowledged ? null : repetition(reminder, task, now)
}

/** Its user has been told of the task for this time by another reminder, which repeats. */
export function fireSilently(reminder: ModelReminder): void {
  reminder.firings.add(reminder.next!)
  reminder.fired = reminder.next
  reminder.next = null
}

/** Minutes before the due time of a series that are too many for this occurrence count for those to come. */
export const isTooLate = (task: Task, reminder: ModelReminder, now: number): boolean =>
  task.recurrenceRule !== null &&
  reminder.offsetMinutes !== null &&
  reminder.time !== null &&
  reminder.time <= now

/** The first of the five times, ten minutes apart from the first, that is still ahead. */
function repetition({ time, snoozed }: ModelReminder, task: Task, now: number): number | null {
  const first = snoozed ?? time
  if (task.priority !== 'high' || first === null) return null
  for (let nth = 1; nth <= REPETITIONS; nth += 1)
    if (first + nth * REPEAT_MS > now) return first + nth * REPEAT_MS
  return null
}

/** What differs between a reminder and the row that stands for it, or null. */
export function difference(reminder: ModelReminder, row: Reminder): string | null {
  const told = [
    reminder.time,
    reminder.next,
    reminder.fired,
    reminder.snoozed,
    reminder.isAcknowledged,
    reminder.isCancelled,
    reminder.isRemoved,
    reminder.offsetMinutes,
    reminder.channels?.join('+') ?? null,
  ]
  const found = [
    ms(row.remindAt),
    ms(row.fireAt),
    ms(row.firedAt),
    ms(row.snoozedUntil),
    row.acknowledgedAt !== null,
    row.cancelledAt !== null,
    row.deletedAt !== null,
    row.offsetMinutes,
    row.channels?.join('+') ?? null,
  ]
  const names = [
    'time',
    'next',
    'fired',
    'snoozed',
    'acknowledged',
    'cancelled',
    'removed',
    'offset',
    'channels',
  ]
  const differing = names.flatMap((name, place) =>
    told[place] === found[place] ? [] : [`${name} should be ${show(told[place])}, is ${show(found[place])}`],
  )
  return differing.length > 0 ? differing.join('; ') : null
}

const show = (value: unknown): string =>
  typeof value === 'number' && value > 1e11 ? new Date(value).toISOString() : String(value)
