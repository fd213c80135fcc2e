import { DomainError, invalidField } from '../errors.ts'
import type { Moment } from '../fields.ts'
import { formatRule, parseRule, RecurrenceError, type RecurrenceRule } from './recurrence-rule.ts'
import {
  firstOccurrence,
  nextOccurrence,
  untilInstant,
  type MonthEnd,
  type RecurrencePattern,
} from './recurrence.ts'
import { termsOf, type Occurrence, type Series } from './series.ts'
import { nominalOf, withNominal } from './shifted-day.ts'
import { dateSlot, type Slot, slotAt, slotDay, type SlotKind } from './slots.ts'
import type { RepeatFrom, Task } from '../tasks/task.ts'
import { civilDate, instantOf } from './wall-clock.ts'

export const NEEDS_RULE = 'exdates and rdates need a recurrence_rule'

type SeriesDate = Moment | string

export interface SeriesRequest {
  recurrence_rule: string
  exdates: readonly SeriesDate[]
  rdates: readonly SeriesDate[]
  month_end: MonthEnd | null
  repeat_from: RepeatFrom
  /** As it was asked for: a wall time that the clocks leave out says more than the instant it became. */
  due_at?: Moment | null | undefined
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
  const kind = { isAllDay, timeZone: task.timeZone }
  const { rule: asked, monthEnd } = readRule(request.recurrence_rule, kind)
  const rule = withNominal(
    asked,
    nominalOf(request.due_at, task),
    slotDay(task.dueAt ?? dateSlot(task.dueDate!), kind),
  )
  const pattern: RecurrencePattern = {
    rule,
    start: task.dueAt ?? dateSlot(task.dueDate!),
    timeZone: isAllDay ? 'UTC' : task.timeZone,
    monthEnd: request.month_end ?? monthEnd ?? 'skip',
    exdates: seriesDates(request.exdates, 'exdates', kind),
    rdates: seriesDates(request.rdates, 'rdates', kind),
  }
  const isHit = firstOccurrence({ ...pattern, exdates: [], rdates: [] }) !== null
  // An RDATE from before the start belongs to the past of a series that begins anew.
  const justBefore = new Date(pattern.start.getTime() - 1)
  const first = isHit && nextOccurrence(pattern, justBefore)
  if (!first) throw invalidField('recurrence_rule', 'the rule has no occurrence')
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

/**
 * The rule of a series, or a 422 whose message names the part that is at fault. In an all-day series UNTIL is a date: that of
 * the instant in the zone.
 */
export function readRule(text: string, kind: SlotKind): ReturnType<typeof parseRule> {
  try {
    const { rule, monthEnd } = parseRule(text)
    return { rule: kind.isAllDay ? ofDates(rule, kind.timeZone) : rule, monthEnd }
  } catch (error) {
    if (!(error instanceof RecurrenceError)) throw error
    throw new DomainError('request.invalid', `recurrence_rule: ${error.message}`, {
      errors: [{ path: 'recurrence_rule', message: error.message }],
      cause: error,
    })
  }
}

function ofDates(rule: RecurrenceRule, timeZone: string): RecurrenceRule {
  const part =
    rule.freq === 'HOURLY' ? 'FREQ=HOURLY' : rule.byHour ? 'BYHOUR' : rule.byMinute ? 'BYMINUTE' : null
  if (part) throw invalidField('recurrence_rule', `${part} requires due_at: a series of dates has no times`)
  if (!rule.until?.includes('T')) return rule
  return { ...rule, until: civilDate(untilInstant(rule, timeZone)!, timeZone).replaceAll('-', '') }
}

/**
 * EXDATE and RDATE, ascending and each once: the same dates in another order are no change. In an all-day series an
 * instant stands for the date that it is in the zone.
 */
export function seriesDates(
  dates: readonly SeriesDate[],
  field: 'exdates' | 'rdates',
  kind: SlotKind,
): Slot[] {
  const slots = dates.map((date) => {
    const isDate = typeof date === 'string' && !date.includes('T')
    if (isDate && !kind.isAllDay)
      throw invalidField(field, 'must be date-times, because the series has a due_at')
    return isDate ? dateSlot(date) : slotAt(instantOf(date, kind.timeZone), kind)
  })
  return [...new Set(slots.map(Number))].toSorted((a, b) => a - b).map((time) => new Date(time))
}

const templateOf = (task: Task): Series['template'] => ({
  title: task.title,
  description: task.description,
  priority: task.priority,
  tags: task.tags,
  parentId: task.parentId,
  isFloating: task.isFloating,
})

export function asOccurrence(task: Task, series: Series, at: Slot): Task {
  return {
    ...task,
    dueAt: series.isAllDay ? null : at,
    dueDate: slotDay(at, series),
    timeZone: series.timeZone,
    seriesId: series.id,
    occurrenceAt: at,
    recurrenceRule: series.rule,
    repeatFrom: series.repeatFrom,
    seriesTerms: termsOf(series),
  }
}

export const openOccurrence = (series: Series, occurrenceAt: Slot, taskId: string): Occurrence => ({
  seriesId: series.id,
  occurrenceAt,
  state: 'open',
  taskId,
  closedAt: null,
})
