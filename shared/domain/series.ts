import { z } from 'zod'
import { instantText } from './fields.ts'
import { parseRule } from './recurrence-rule.ts'
import type { MonthEnd, RecurrencePattern } from './recurrence.ts'
import { MONTH_ENDS, PRIORITIES, REPEAT_FROM, type Priority, type RepeatFrom } from './task.ts'

/** What every new occurrence starts with. */
export interface SeriesTemplate {
  title: string
  description: string | null
  priority: Priority
  tags: readonly string[]
  parentId: string | null
}

/** A recurring task as a whole. Its occurrences are tasks; at most one of them is live (open) at a time. */
export interface Series {
  id: string
  userId: string
  /** Canonical RRULE text, see recurrence-rule.ts. */
  rule: string
  /** DTSTART: gives the time and day, and counts as an occurrence only if it hits the rule. */
  startAt: Date
  timeZone: string
  monthEnd: MonthEnd
  repeatFrom: RepeatFrom
  exdates: readonly Date[]
  rdates: readonly Date[]
  /** Occurrences are days, not times: tasks get a `due_date` alone. */
  isAllDay: boolean
  template: SeriesTemplate
  state: 'active' | 'ended'
  /** The open occurrence; null between the completion of one and the making of the next, and at the end. */
  liveTaskId: string | null
  /** Occurrences made so far, the live one included. */
  generated: number
  version: number
  createdAt: Date
  updatedAt: Date
}

export const OCCURRENCE_STATES = ['open', 'completed', 'skipped', 'missed'] as const
export type OccurrenceState = (typeof OCCURRENCE_STATES)[number]

export interface Occurrence {
  seriesId: string
  occurrenceAt: Date
  state: OccurrenceState
  taskId: string | null
  /** When it left `open`; for `missed`, when its successor was decided. */
  closedAt: Date | null
}

export const SeriesView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    recurrence_rule: z.string(),
    start_at: instantText,
    time_zone: z.string(),
    month_end: z.enum(MONTH_ENDS),
    repeat_from: z.enum(REPEAT_FROM),
    exdates: z.array(instantText),
    rdates: z.array(instantText),
    is_all_day: z.boolean(),
    title: z.string(),
    priority: z.enum(PRIORITIES),
    tags: z.array(z.string()),
    state: z.enum(['active', 'ended']),
    live_task_id: z.uuid().nullable(),
    generated: z.int(),
    version: z.int(),
  })
  .meta({ id: 'Series' })
export type SeriesView = z.infer<typeof SeriesView>

export function seriesView(series: Series): SeriesView {
  return {
    id: series.id,
    user_id: series.userId,
    recurrence_rule: series.rule,
    start_at: series.startAt.toISOString(),
    time_zone: series.timeZone,
    month_end: series.monthEnd,
    repeat_from: series.repeatFrom,
    exdates: series.exdates.map((date) => date.toISOString()),
    rdates: series.rdates.map((date) => date.toISOString()),
    is_all_day: series.isAllDay,
    title: series.template.title,
    priority: series.template.priority,
    tags: [...series.template.tags],
    state: series.state,
    live_task_id: series.liveTaskId,
    generated: series.generated,
    version: series.version,
  }
}

export function patternOf(series: Series): RecurrencePattern {
  return {
    rule: parseRule(series.rule).rule,
    start: series.startAt,
    timeZone: series.timeZone,
    monthEnd: series.monthEnd,
    exdates: series.exdates,
    rdates: series.rdates,
  }
}
