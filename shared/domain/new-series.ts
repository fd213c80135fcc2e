import { DomainError, invalidField } from './errors.ts'
import { formatRule, parseRule, RecurrenceError } from './recurrence-rule.ts'
import { firstOccurrence, nextOccurrence, type MonthEnd, type RecurrencePattern } from './recurrence.ts'
import type { Occurrence, Series } from './series.ts'
import type { RepeatFrom, Task } from './task.ts'
import { civilDate, startOfDay } from './wall-clock.ts'

export const NEEDS_RULE = 'exdates and rdates need a recurrence_rule'

export interface SeriesRequest {
  recurrence_rule: string
  exdates: readonly Date[]
  rdates: readonly Date[]
  month_end: MonthEnd | null
  repeat_from: RepeatFrom
}

/**
 * Makes `task` the first occurrence of a new series that starts when the task is due. The task moves to the first hit of
 * the rule; the start does not (RFC 5545 leaves a DTSTART outside its own rule undefined, here it is no occurrence): at
 * the first hit the clocks may skip its time, or the month be too short for its day.
 */
export function decideSeries(
  task: Task,
  request: SeriesRequest,
  context: { seriesId: string; now: Date },
): { task: Task; series: Series; occurrence: Occurrence } {
  const isAllDay = task.dueAt === null
  if (isAllDay && task.dueDate === null) {
    throw invalidField('due_at', 'a recurring task needs due_at or due_date: it is the start of the series')
  }
  const { rule, clampDefault } = readRule(request.recurrence_rule)
  const pattern: RecurrencePattern = {
    rule,
    start: task.dueAt ?? startOfDay(task.dueDate!, task.timeZone),
    timeZone: task.timeZone,
    monthEnd: request.month_end ?? (clampDefault ? 'clamp' : 'skip'),
    exdates: seriesDates(request.exdates, { isAllDay, timeZone: task.timeZone }),
    rdates: seriesDates(request.rdates, { isAllDay, timeZone: task.timeZone }),
  }
  const isHit = firstOccurrence({ ...pattern, exdates: [], rdates: [] }) !== null
  // An RDATE from before the start belongs to the past of a series that begins anew.
  const justBefore = new Date(pattern.start.getTime() - 1)
  const first = isHit && nextOccurrence(pattern, justBefore)
  if (!first) throw invalidField('recurrence_rule', 'this rule never happens')
  const series: Series = {
    id: context.seriesId,
    userId: task.userId,
    rule: formatRule(rule),
    startAt: pattern.start,
    timeZone: task.timeZone,
    monthEnd: pattern.monthEnd,
    repeatFrom: request.repeat_from,
    exdates: pattern.exdates,
    rdates: pattern.rdates,
    isAllDay,
    template: templateOf(task),
    state: 'active',
    liveTaskId: task.id,
    generated: 1,
    version: 1,
    createdAt: context.now,
    updatedAt: context.now,
  }
  return {
    task: asOccurrence(task, series, first),
    series,
    occurrence: openOccurrence(series, first, task.id),
  }
}

/** The rule, or a 422 whose message names the part that is at fault. */
export function readRule(text: string): ReturnType<typeof parseRule> {
  try {
    return parseRule(text)
  } catch (error) {
    if (!(error instanceof RecurrenceError)) throw error
    throw new DomainError('request.invalid', error.message, {
      errors: [{ path: 'recurrence_rule', message: error.message }],
      cause: error,
    })
  }
}

/**
 * EXDATE and RDATE, ascending and each once: the same dates in another order are no change. In a series of days an
 * instant stands for the day it lies in.
 */
export function seriesDates(
  dates: readonly Date[],
  { isAllDay, timeZone }: Pick<Series, 'isAllDay' | 'timeZone'>,
): Date[] {
  const instants = isAllDay ? dates.map((date) => startOfDay(civilDate(date, timeZone), timeZone)) : dates
  return [...new Set(instants.map(Number))].toSorted((a, b) => a - b).map((time) => new Date(time))
}

export const templateOf = (task: Task): Series['template'] => ({
  title: task.title,
  description: task.description,
  priority: task.priority,
  tags: task.tags,
  parentId: task.parentId,
})

/** The task as the series' occurrence at this instant. */
export function asOccurrence(task: Task, series: Series, at: Date): Task {
  return {
    ...task,
    dueAt: series.isAllDay ? null : at,
    dueDate: civilDate(at, series.timeZone),
    timeZone: series.timeZone,
    seriesId: series.id,
    occurrenceAt: at,
    recurrenceRule: series.rule,
    repeatFrom: series.repeatFrom,
  }
}

export const openOccurrence = (series: Series, occurrenceAt: Date, taskId: string): Occurrence => ({
  ...{ seriesId: series.id, occurrenceAt, state: 'open', taskId, closedAt: null },
})
