import type { Change } from '../../shared/app/ports.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import type { Fault } from '../faults/oracle.ts'
import type { Audiences } from './firings.ts'
import type { Entry } from './journal.ts'
import { beginReminder, isOpen, ms, timeBefore, type ModelReminder } from './reminder-model.ts'
import type { Told } from './replay-model.ts'

/** Of each task the due times that it was given, or opened with, and when. */
export type Given = Map<string, { due: number; at: number }[]>

type Telling = Told & { given: Given; audiences: Audiences; fault: Fault }

const MADE = 'a task gets its default reminder'
const RIGHT = 'a default reminder is right'
/** Of a user who has settled nothing. */
const USUAL_MINUTES = 60
const GIVING = ['task.created', 'task.updated', 'task.reopened', 'task.restored', 'task.occurrence.generated']

export function noteGiven({ given }: Telling, { at, newTasks = [], changedTasks = [] }: Change): void {
  for (const task of [...newTasks, ...changedTasks]) {
    const due = ms(task.dueAt)
    if (due === null || !isOpen(task)) continue
    given.set(task.id, [...(given.get(task.id) ?? []), { due, at: at.getTime() }])
  }
}

/** A worker has made default reminders: each the first of its task, as its user wants them, of a due time ahead. */
export function beginDefault(telling: Telling, change: Change, place: number): void {
  const { tasks, reminders, given, audiences, fault } = telling
  for (const { id, taskId, origin, offsetMinutes, channels } of change.newReminders ?? []) {
    const task = tasks.get(taskId)
    const what = `${id} of ${taskId} at ${place}`
    if (!task || origin !== 'default' || offsetMinutes === null) return fault(RIGHT, `${what}: is ${origin}`)
    const twin = [...reminders.values()].find((one) => one.taskId === taskId && one.origin === 'default')
    if (twin) fault(RIGHT, `${what}: ${twin.id} is there`)
    const time = timeBefore(task, offsetMinutes)
    const isAhead = given.get(taskId)?.some(({ due, at }) => due === ms(task.dueAt) && at < time!)
    if (!isOpen(task) || !isAhead) fault(RIGHT, `${what}: its time had passed, or it is closed`)
    const wanted = minutesBetween(audiences, change.userId, 0, place)
    if (!wanted.includes(offsetMinutes)) fault(RIGHT, `${what}: ${offsetMinutes}, not ${wanted.join()}`)
    if (channels?.join() !== 'in_app') fault(RIGHT, `${what}: by ${channels?.join()}`)
    const begun = { id, origin, offsetMinutes, channels, time: null }
    reminders.set(id, beginReminder(task, begun, change.at.getTime()))
  }
}

/** One that goes on with the series stays removed, and does not fire where its time had passed by then. */
export function continueDefault(
  reminder: ModelReminder,
  { origin, fireAt, deletedAt }: Reminder,
  now: number,
): void {
  if (origin !== 'default') return
  if (deletedAt) Object.assign(reminder, { isRemoved: true, next: null })
  else if (fireAt === null && reminder.time !== null && reminder.time <= now) reminder.next = null
}

/** Of a task that has been left alone since, and is still ahead, the reminder is there once the event is dealt with. */
export function checkConsumed(
  { tasks, reminders, audiences, fault }: Telling,
  { event, after, highest }: Extract<Entry, { kind: 'consumed' }>,
  place: number,
): void {
  const { task: view, changes } = event.data as { task?: TaskView; changes?: object }
  const task = tasks.get(view?.id ?? '')
  if (!view || !task || !GIVING.includes(event.type) || task.version !== view.version) return
  if (!isOpen(task) || !task.dueAt || (changes && !('due_at' in changes))) return
  const wanted = minutesBetween(audiences, task.userId, after, place)
  const minutes = wanted[0] ?? null
  if (minutes === null || new Set(wanted).size > 1) return
  const isAhead = Date.parse(event.time) < timeBefore(task, minutes)! && highest < ms(task.dueAt)!
  const has = [...reminders.values()].some(({ taskId }) => taskId === task.id)
  if (isAhead && !has) fault(MADE, `${task.id} after ${event.type} ${event.sequence} at ${place}`)
}

const minutesBetween = (audiences: Audiences, userId: string, from: number, to: number) =>
  audiences
    .between(userId, from, to)
    .map(({ settings }) => (settings ? settings.defaultReminderMinutes : USUAL_MINUTES))
