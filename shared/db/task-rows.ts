import type { Occurrence, OccurrenceState, Series } from '../domain/series.ts'
import { PRIORITIES, tagKey, type Priority, type RepeatFrom, type Task } from '../domain/task.ts'
import { startOfDay } from '../domain/wall-clock.ts'

/** Where a task without a due date sorts: after every one that has one. */
export const NEVER_DUE = new Date('9999-12-31T23:59:59.999Z')
const MS_PER_DAY = 86_400_000

export interface TaskRow {
  id: string
  user_id: string
  title: string
  description: string | null
  /** Position in PRIORITIES, so that the database can sort by it. */
  priority: number
  tags: string[]
  completed_at: Date | null
  due_date: string | null
  due_at: Date | null
  time_zone: string
  remind_at: Date | null
  parent_id: string | null
  position: number
  series_id: string | null
  occurrence_at: Date | null
  recurrence_rule: string | null
  repeat_from: string
  version: number
  created_at: Date
  updated_at: Date
  deleted_at: Date | null
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
  template: {
    title: string
    description: string | null
    priority: Priority
    tags: string[]
    parent_id: string | null
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

export const TASK_COLUMNS = [
  ...['id', 'user_id', 'title', 'description', 'priority', 'tags', 'completed_at', 'due_date', 'due_at'],
  ...['time_zone', 'remind_at', 'parent_id', 'position', 'series_id', 'occurrence_at', 'recurrence_rule'],
  ...['repeat_from', 'version', 'created_at', 'updated_at', 'deleted_at'],
] as const satisfies readonly (keyof TaskRow)[]

/** The column that due dates are sorted and filtered by: `dueAt`, else the last millisecond of `dueDate`, else never. */
export function dueOrder(task: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>): Date {
  if (task.dueAt) return task.dueAt
  if (!task.dueDate) return NEVER_DUE
  const nextDay = new Date(Date.parse(`${task.dueDate}T00:00:00Z`) + MS_PER_DAY).toISOString().slice(0, 10)
  return new Date(startOfDay(nextDay, task.timeZone).getTime() - 1)
}

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
    remindAt: row.remind_at,
    parentId: row.parent_id,
    position: row.position,
    seriesId: row.series_id,
    occurrenceAt: row.occurrence_at,
    recurrenceRule: row.recurrence_rule,
    repeatFrom: row.repeat_from as RepeatFrom,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}

export function taskToRow(task: Task): AsJson<TaskRow> & { tag_keys: string[]; due_order: string } {
  return {
    id: task.id,
    user_id: task.userId,
    title: task.title,
    description: task.description,
    priority: PRIORITIES.indexOf(task.priority),
    tags: [...task.tags],
    tag_keys: task.tags.map(tagKey),
    completed_at: instantText(task.completedAt),
    due_date: task.dueDate,
    due_at: instantText(task.dueAt),
    due_order: dueOrder(task).toISOString(),
    time_zone: task.timeZone,
    remind_at: instantText(task.remindAt),
    parent_id: task.parentId,
    position: task.position,
    series_id: task.seriesId,
    occurrence_at: instantText(task.occurrenceAt),
    recurrence_rule: task.recurrenceRule,
    repeat_from: task.repeatFrom,
    version: task.version,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    deleted_at: instantText(task.deletedAt),
  }
}

export function seriesFromRow(row: SeriesRow): Series {
  const { parent_id, ...template } = row.template
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
    template: { ...template, parentId: parent_id },
    state: row.state as Series['state'],
    liveTaskId: row.live_task_id,
    generated: row.generated,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function seriesToRow(series: Series): AsJson<SeriesRow> {
  const { parentId, tags, ...template } = series.template
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
    template: { ...template, tags: [...tags], parent_id: parentId },
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

export function occurrenceToRow(occurrence: Occurrence): AsJson<OccurrenceRow> {
  return {
    series_id: occurrence.seriesId,
    occurrence_at: occurrence.occurrenceAt.toISOString(),
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
