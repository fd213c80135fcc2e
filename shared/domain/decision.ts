import type { z } from 'zod'
import { seriesView, type Occurrence, type Series } from './series.ts'
import type { Delivery, Notification } from './notification.ts'
import type { Preferences } from './notification-preferences.ts'
import type { Reminder } from './reminder.ts'
import { TaskUpdated, type AnyEvent, type EventData, type SeriesEnded, type SeriesUpdated } from './events.ts'
import { taskView, type Task, type TaskView } from './task.ts'

/** Something that happened, before it is given an id, a time, an actor and its place in the sequence. */
export interface Fact {
  definition: AnyEvent
  subject: string
  data: object
}

/** Rows that a decision changes, and what it rests on, in the form in which they are committed. */
export interface DecidedRows {
  newTasks?: Task[]
  movedTasks?: { id: string; position: number; version: number }[]
  series?: Series
  newOccurrences?: Occurrence[]
  changedOccurrences?: Occurrence[]
  droppedOccurrences?: Pick<Occurrence, 'seriesId' | 'occurrenceAt'>[]
  newReminders?: Reminder[]
  /** Each with its new version. */
  changedReminders?: Reminder[]
  newNotifications?: AnnouncedNotification[]
  newDeliveries?: Delivery[]
  /** Each with its new version. */
  changedDeliveries?: Delivery[]
  /** What the decision rests on and leaves as it is: another version by then is a conflict. */
  unchangedDeliveries?: Pick<Delivery, 'id' | 'version'>[]
  /** Those that existed and that the app shows from now on, each with the place of its fact. */
  shownNotifications?: { id: string; fact: number }[]
  /** The digest of the day that was due; null: none is to come. */
  nextDigest?: { from: Date; to: Date | null }
  preferences?: ChangedPreferences
  /** What the decision rests on and leaves as it is: another version by then is a conflict. */
  unchangedTasks?: Pick<Task, 'id' | 'version'>[]
  /** All reminders that the decision knew of these tasks: one added or changed by then is a conflict. */
  knownReminders?: KnownReminders
}

/** What a decision wants done: the rows that change and the facts to record. Nothing happens until it is committed. */
export interface Decision extends DecidedRows {
  changedTasks?: { before: Task; after: Task }[]
  facts: Fact[]
}

export interface KnownReminders {
  taskIds: string[]
  reminders: Pick<Reminder, 'id' | 'version'>[]
}

/** Preferences with their new version; `nextDigestAt` counts only when the digest is to come at another time than before. */
export interface ChangedPreferences {
  preferences: Preferences
  nextDigestAt: Date | null
}

/** A new notification; `fact` is the place, from 0, of the fact that shows it in the app, null while no channel of the app does. */
export interface AnnouncedNotification {
  notification: Notification
  fact: number | null
}

/** A decision about one task, with the task as it is afterwards: the answer to the request. */
export interface TaskDecision extends Decision {
  task: Task
}

type WithoutActor<E extends AnyEvent> = Omit<EventData<E>, 'actor'>

export function fact<E extends AnyEvent>(definition: E, subject: string, data: WithoutActor<E>): Fact {
  return { definition, subject, data }
}

export const taskFact = <E extends AnyEvent>(
  definition: { task: TaskView } extends WithoutActor<E> ? E : never,
  task: Task,
): Fact => ({ definition, subject: `task/${task.id}`, data: { task: taskView(task) } })

export const seriesFact = (definition: typeof SeriesUpdated | typeof SeriesEnded, series: Series): Fact => ({
  definition,
  subject: `series/${series.id}`,
  data: { series: seriesView(series) },
})

/** The next version of a row. */
export function revise<Row extends { version: number; updatedAt: Date }>(
  row: Row,
  now: Date,
  edits: Partial<Row>,
): Row {
  return { ...row, ...edits, version: row.version + 1, updatedAt: now }
}

const NOT_A_CHANGE = new Set(['version', 'updated_at', 'priority_color'])

type Changes = EventData<typeof TaskUpdated>['changes']

/**
 * `task.updated` with the fields that differ, or null when nothing a client can see has changed. An edit of the series
 * counts as one of the task it was made through, whose version therefore tells two editors apart.
 */
export function updatedFact(
  before: Task,
  after: Task,
  series?: { before: Series; after: Series },
): Fact | null {
  const changes: Changes = {
    ...differences(taskView(before), taskView(after)),
    ...(series && differences(onlyOnSeries(series.before), onlyOnSeries(series.after))),
  }
  if (!series && Object.keys(changes).length === 0) return null
  return fact(TaskUpdated, `task/${after.id}`, { task: taskView(after), changes })
}

/** What a client can set through a task and does not see on it. */
const onlyOnSeries = (series: Series) => {
  const { exdates, rdates, month_end } = seriesView(series)
  return { exdates, rdates, month_end }
}

function differences<View extends Record<string, z.core.util.JSONType>>(old: View, now: View): Changes {
  const differs = (field: string) => JSON.stringify(old[field]) !== JSON.stringify(now[field])
  return Object.fromEntries(
    Object.keys(now)
      .filter((field) => !NOT_A_CHANGE.has(field) && differs(field))
      .map((field) => [field, { old: old[field]!, new: now[field]! }]),
  )
}
