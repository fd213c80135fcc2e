import { seriesView, type Occurrence, type Series } from './recurrence/series.ts'
import type { Delivery, Notification } from './notifications/notification.ts'
import type { Preferences } from './notifications/notification-preferences.ts'
import type { Reminder } from './reminders/reminder.ts'
import type { EventData } from './event-definition.ts'
import { TaskUpdated, type AnyEvent, type SeriesEnded, type SeriesUpdated } from './events.ts'
import { taskRecord, taskView, type Task, type TaskRecord, type TaskView } from './tasks/task.ts'

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
  /** Those of subtasks that are closed or opened with their parent. */
  seriesBelow?: Series[]
  newOccurrences?: Occurrence[]
  changedOccurrences?: Occurrence[]
  droppedOccurrences?: Pick<Occurrence, 'seriesId' | 'occurrenceAt'>[]
  newReminders?: Reminder[]
  changedReminders?: Reminder[]
  newDeliveries?: Delivery[]
  changedDeliveries?: Delivery[]
  unchangedDeliveries?: Pick<Delivery, 'id' | 'version'>[]
  /** The digest of the day that was due; null: none is to come. */
  nextDigest?: { from: Date; to: Date | null }
  preferences?: ChangedPreferences
  movedZone?: MovedZone
  /** The webhook or push subscription that has answered its first message. */
  confirmedTarget?: string
  /** What the decision rests on and leaves as it is: another version by then is a conflict. */
  unchangedTasks?: Pick<Task, 'id' | 'version'>[]
  /** Places that moved tasks take: a task that has one of them by then is a conflict. */
  freePlaces?: number[]
  /** What lies below these is closed by the decision: another task there by then, deleted ones aside, is a conflict. */
  emptied?: { taskIds: string[]; of: 'open' | 'present' }
  /** All reminders that the decision knew of these tasks: one added or changed by then is a conflict. */
  knownReminders?: KnownReminders
}

/** What a decision wants done: the rows that change and the facts to record. Nothing happens until it is committed. */
export interface Decision extends DecidedRows {
  changedTasks?: { before: Task; after: Task }[]
  /** Each with the fact that shows it in the app, one of `facts`; null while no channel of the app does. */
  newNotifications?: { notification: Notification; shownBy: Fact | null }[]
  /** Those that existed and that the app shows from now on. */
  shownNotifications?: { id: string; shownBy: Fact }[]
  /** Those that the app shows and that are unread until now; the fact shows there that they are read. */
  readNotifications?: { id: string; shownBy: Fact }[]
  facts: Fact[]
}

export interface KnownReminders {
  taskIds: string[]
  reminders: Pick<Reminder, 'id' | 'version'>[]
}

/** When the next digest comes by another zone of the account; `version` is that of the preferences it was decided by. */
export interface MovedZone {
  version: number
  nextDigestAt: Date | null
}

/** Preferences with their new version; `nextDigestAt` counts only when the digest is to come at another time than before. */
export interface ChangedPreferences {
  preferences: Preferences
  nextDigestAt: Date | null
}

export interface TaskDecision extends Decision {
  task: Task
}

type WithoutActor<E extends AnyEvent> = Omit<EventData<E>, 'actor'>

export function fact<E extends AnyEvent>(definition: E, subject: string, data: WithoutActor<E>): Fact {
  return { definition, subject, data }
}

export const taskFact = <E extends AnyEvent>(
  definition: { task: TaskRecord } extends WithoutActor<E> ? E : never,
  task: Task,
): Fact => ({ definition, subject: `task/${task.id}`, data: { task: taskRecord(task) } })

export const seriesFact = (definition: typeof SeriesUpdated | typeof SeriesEnded, series: Series): Fact => ({
  definition,
  subject: `series/${series.id}`,
  data: { series: seriesView(series) },
})

/**
 * The series that a decision changes and that no fact of their own tells of, each with the fact about its task that does:
 * whoever has all events has all rows.
 */
export function seriesToldWith(
  decision: Pick<Decision, 'series' | 'seriesBelow' | 'facts'>,
): Map<Fact, Series> {
  const { series, seriesBelow = [], facts } = decision
  const changed = [...(series ? [series] : []), ...seriesBelow]
  const untold = changed.filter(({ id }) => !facts.some(({ subject }) => subject === `series/${id}`))
  return new Map(
    untold.map((one) => {
      const told = facts.find(({ data }) => (data as { task?: TaskRecord }).task?.series_id === one.id)
      if (!told) throw new TypeError('a series changes and no fact tells of it')
      return [told, one]
    }),
  )
}

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
export function updatedFact(before: Task, after: Task, isOfSeries = false): Fact | null {
  const changes = differences(taskView(before), taskView(after))
  if (!isOfSeries && Object.keys(changes).length === 0) return null
  return fact(TaskUpdated, `task/${after.id}`, { task: taskRecord(after), changes })
}

function differences(old: TaskView, now: TaskView): Changes {
  const fields = Object.keys(now) as (keyof TaskView)[]
  const differs = (field: keyof TaskView) => JSON.stringify(old[field]) !== JSON.stringify(now[field])
  return Object.fromEntries(
    fields
      .filter((field) => !NOT_A_CHANGE.has(field) && differs(field))
      .map((field) => [field, { old: old[field], new: now[field] }]),
  )
}
