import type { Occurrence, OccurrenceState, Series } from '../../domain/recurrence/series.ts'
import { PRIORITIES, tagKey, type RepeatFrom, type SeriesTerms, type Task } from '../../domain/tasks/task.ts'
import { addDays, instantToWall, startOfDay } from '../../domain/recurrence/wall-clock.ts'
import { columnsOf } from '../columns.ts'
import { searchVector } from './task-search.ts'

/** Where a task without a due date sorts: after every one that has one. */
export const NEVER_DUE = new Date('9999-12-31T23:59:59.999Z')

/** The column of each field of a task. */
const COLUMNS = {
  id: 'id',
  userId: 'user_id',
  title: 'title',
  description: 'description',
  priority: 'priority',
  tags: 'tags',
  completedAt: 'completed_at',
  dueDate: 'due_date',
  dueAt: 'due_at',
  timeZone: 'time_zone',
  isFloating: 'is_floating',
  remindAt: 'remind_at',
  parentId: 'parent_id',
  position: 'position',
  seriesId: 'series_id',
  occurrenceAt: 'occurrence_at',
  recurrenceRule: 'recurrence_rule',
  repeatFrom: 'repeat_from',
  seriesTerms: 'series_terms',
  version: 'version',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  deletedAt: 'deleted_at',
} as const satisfies Record<keyof Task, string>
const tasks = columnsOf<Task>()(COLUMNS)

/** The priority is its position in PRIORITIES, so that the database can sort by it. */
export type TaskRow = Omit<ReturnType<typeof tasks.toRow>, 'priority' | 'series_terms'> & {
  priority: number
  series_terms: TermsRow | null
}

export const TASK_COLUMNS = Object.values(COLUMNS)

interface TermsRow {
  is_all_day: boolean
  month_end: string
  exdates: string[]
  rdates: string[]
}

export interface SeriesRow {
  id: string
  user_id: string
  rule: string
  start_at: Date
  time_zone: string
  month_end: string
  repeat_from: string
  exdates: Date[]
  rdates: Date[]
  is_all_day: boolean
  template: Omit<Series['template'], 'parentId' | 'isFloating'> & {
    parent_id: string | null
    is_floating: boolean
  }
  state: string
  live_task_id: string | null
  generated: number
  version: number
  created_at: Date
  updated_at: Date
}

export interface OccurrenceRow {
  series_id: string
  occurrence_at: Date
  state: string
  task_id: string | null
  closed_at: Date | null
}

/** What clocks on the wall showed when the instants were set, which is what is meant by them (migration 0001). */
export interface TaskWalls {
  due_wall: string | null
  remind_wall: string | null
}

export interface SeriesWalls {
  start: string
  exdates: string[]
  rdates: string[]
}

/** Dates are the same in every zone. */
export const slotZone = ({ isAllDay, timeZone }: Pick<Series, 'isAllDay' | 'timeZone'>): string =>
  isAllDay ? 'UTC' : timeZone

export const wallOf = (instant: Date | null, timeZone: string): string | null =>
  instant && instantToWall(instant, timeZone)

/** A row as commit_change takes it: instants as RFC 3339 text. */
type AsJson<Row> = {
  [Column in keyof Row]: Row[Column] extends Date
    ? string
    : Row[Column] extends Date[]
      ? string[]
      : Row[Column] extends Date | null
        ? string | null
        : Row[Column]
}

/** The column that due dates are sorted and filtered by: `dueAt`, else the last millisecond of `dueDate`, else never. */
export function dueOrder(task: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>): Date {
  if (task.dueAt) return task.dueAt
  if (!task.dueDate) return NEVER_DUE
  return new Date(startOfDay(addDays(task.dueDate, 1), task.timeZone).getTime() - 1)
}

/** Written out: by a loop over the columns a row takes ten times as long, and lists read many. */
export function taskFromRow(row: TaskRow): Task {
  return {
    id: row.id,
    userId: row.user_id,
    title: row.title,
    description: row.description,
    priority: PRIORITIES[row.priority] ?? 'medium',
    tags: row.tags,
    completedAt: row.completed_at,
    dueDate: row.due_date,
    dueAt: row.due_at,
    timeZone: row.time_zone,
    isFloating: row.is_floating,
    remindAt: row.remind_at,
    parentId: row.parent_id,
    position: row.position,
    seriesId: row.series_id,
    occurrenceAt: row.occurrence_at,
    recurrenceRule: row.recurrence_rule,
    repeatFrom: row.repeat_from,
    seriesTerms: row.series_terms && termsFromRow(row.series_terms),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}

/** The row as commit_change takes it, with the columns that are worked out of others. */
export function taskToRow(
  task: Task,
): TaskRow & TaskWalls & { tag_keys: string[]; due_order: Date; words: string } {
  return {
    ...tasks.toRow(task),
    priority: PRIORITIES.indexOf(task.priority),
    tag_keys: task.tags.map(tagKey),
    series_terms: task.seriesTerms && termsToRow(task.seriesTerms),
    due_order: dueOrder(task),
    due_wall: wallOf(task.dueAt, task.timeZone),
    remind_wall: wallOf(task.remindAt, task.timeZone),
    words: searchVector(task),
  }
}

const termsFromRow = (row: TermsRow): SeriesTerms => ({
  isAllDay: row.is_all_day,
  monthEnd: row.month_end as SeriesTerms['monthEnd'],
  exdates: row.exdates.map((date) => new Date(date)),
  rdates: row.rdates.map((date) => new Date(date)),
})

const termsToRow = ({ isAllDay, monthEnd, exdates, rdates }: SeriesTerms): TermsRow => ({
  is_all_day: isAllDay,
  month_end: monthEnd,
  exdates: exdates.map((date) => date.toISOString()),
  rdates: rdates.map((date) => date.toISOString()),
})

export function seriesFromRow(row: SeriesRow): Series {
  const { parent_id, is_floating, ...template } = row.template
  return {
    id: row.id,
    userId: row.user_id,
    rule: row.rule,
    startAt: row.start_at,
    timeZone: row.time_zone,
    monthEnd: row.month_end as Series['monthEnd'],
    repeatFrom: row.repeat_from as RepeatFrom,
    exdates: row.exdates,
    rdates: row.rdates,
    isAllDay: row.is_all_day,
    template: { ...template, parentId: parent_id, isFloating: is_floating },
    state: row.state as Series['state'],
    liveTaskId: row.live_task_id,
    generated: row.generated,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function seriesToRow(series: Series): AsJson<SeriesRow> & { walls: SeriesWalls } {
  const { parentId, isFloating, ...template } = series.template
  return {
    id: series.id,
    user_id: series.userId,
    rule: series.rule,
    start_at: series.startAt.toISOString(),
    time_zone: series.timeZone,
    month_end: series.monthEnd,
    repeat_from: series.repeatFrom,
    exdates: series.exdates.map((date) => date.toISOString()),
    rdates: series.rdates.map((date) => date.toISOString()),
    is_all_day: series.isAllDay,
    template: { ...template, parent_id: parentId, is_floating: isFloating },
    walls: {
      start: wallOf(series.startAt, slotZone(series))!,
      exdates: series.exdates.map((slot) => wallOf(slot, slotZone(series))!),
      rdates: series.rdates.map((slot) => wallOf(slot, slotZone(series))!),
    },
    state: series.state,
    live_task_id: series.liveTaskId,
    generated: series.generated,
    version: series.version,
    created_at: series.createdAt.toISOString(),
    updated_at: series.updatedAt.toISOString(),
  }
}

export function occurrenceFromRow(row: OccurrenceRow): Occurrence {
  return {
    seriesId: row.series_id,
    occurrenceAt: row.occurrence_at,
    state: row.state as OccurrenceState,
    taskId: row.task_id,
    closedAt: row.closed_at,
  }
}

export function occurrenceToRow(
  occurrence: Occurrence,
  timeZone: string | null,
): AsJson<OccurrenceRow> & { occurrence_wall: string | null } {
  return {
    series_id: occurrence.seriesId,
    occurrence_at: occurrence.occurrenceAt.toISOString(),
    // With its zone, for the series may get another (RFC 9557).
    occurrence_wall: timeZone && `${wallOf(occurrence.occurrenceAt, timeZone)}[${timeZone}]`,
    state: occurrence.state,
    task_id: occurrence.taskId,
    closed_at: instantText(occurrence.closedAt),
  }
}

const instantText = (instant: Date | null): string | null => instant?.toISOString() ?? null

/** A row that came as JSON: columns named `…_at` or `…_until` and the lists of dates are instants again. */
export function fromJson<Row extends object>(json: Row): Row {
  const instant = (value: unknown) => (value === null ? null : new Date(value as string))
  const entries = Object.entries(json).map(([name, value]) => {
    if (name.endsWith('_at') || name.endsWith('_until')) return [name, instant(value)]
    return [name, name === 'exdates' || name === 'rdates' ? (value as string[]).map(instant) : value]
  })
  return Object.fromEntries(entries) as Row
}
