import { z } from 'zod'
import { instantText, occurrenceText } from '../fields.ts'
import { MONTH_ENDS, parseRule } from './recurrence-rule.ts'
import type { MonthEnd, RecurrencePattern } from './recurrence.ts'
import { slotText, type Slot } from './slots.ts'
import { PRIORITIES, REPEAT_FROM, type Priority, type RepeatFrom, type SeriesTerms } from '../tasks/task.ts'

interface SeriesTemplate {
  title: string
  description: string | null
  priority: Priority
  tags: readonly string[]
  parentId: string | null
  /** The zone of the series is whatever the user's present one is. */
  isFloating: boolean
}

/** A recurring task as a whole. Its occurrences are tasks; at most one of them is live (open) at a time. */
export interface Series {
  id: string
  userId: string
  /** Canonical RRULE text, see recurrence-rule.ts. */
  rule: string
  /** DTSTART: gives the time and day, and counts as an occurrence only if it hits the rule. */
  startAt: Slot
  timeZone: string
  monthEnd: MonthEnd
  repeatFrom: RepeatFrom
  exdates: readonly Slot[]
  rdates: readonly Slot[]
  /** Occurrences are dates, not times: tasks get a `due_date` alone. */
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
  occurrenceAt: Slot
  state: OccurrenceState
  taskId: string | null
  /** When it left `open`; for `missed`, when its successor was decided. */
  closedAt: Date | null
}

/** The series in events: its whole row. */
export const SeriesView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    recurrence_rule: z.string(),
    start_at: occurrenceText,
    time_zone: z.string(),
    month_end: z.enum(MONTH_ENDS),
    repeat_from: z.enum(REPEAT_FROM),
    exdates: z.array(occurrenceText),
    rdates: z.array(occurrenceText),
    is_all_day: z.boolean(),
    title: z.string(),
    description: z.string().nullable(),
    priority: z.enum(PRIORITIES),
    tags: z.array(z.string()),
    parent_id: z.uuid().nullable(),
    is_floating: z.boolean().describe("Its zone is the user's present one"),
    state: z.enum(['active', 'ended']),
    live_task_id: z.uuid().nullable(),
    generated: z.int(),
    version: z.int(),
    created_at: instantText.nullable().describe('null: the event is of a version that did not say'),
    updated_at: instantText,
  })
  .meta({ id: 'Series' })
export type SeriesView = z.infer<typeof SeriesView>

export function seriesView(series: Series): SeriesView {
  const slot = (at: Slot) => slotText(at, series)
  return {
    id: series.id,
    user_id: series.userId,
    recurrence_rule: series.rule,
    start_at: slot(series.startAt),
    time_zone: series.timeZone,
    month_end: series.monthEnd,
    repeat_from: series.repeatFrom,
    exdates: series.exdates.map(slot),
    rdates: series.rdates.map(slot),
    is_all_day: series.isAllDay,
    title: series.template.title,
    description: series.template.description,
    priority: series.template.priority,
    tags: [...series.template.tags],
    parent_id: series.template.parentId,
    is_floating: series.template.isFloating,
    state: series.state,
    live_task_id: series.liveTaskId,
    generated: series.generated,
    version: series.version,
    created_at: series.createdAt.toISOString(),
    updated_at: series.updatedAt.toISOString(),
  }
}

export const termsOf = ({ isAllDay, monthEnd, exdates, rdates }: Series): SeriesTerms => ({
  isAllDay,
  monthEnd,
  exdates,
  rdates,
})

/** What the engine works out, in slots: dates are the same in every zone. */
export function patternOf(series: Series): RecurrencePattern {
  return {
    rule: parseRule(series.rule).rule,
    start: series.startAt,
    timeZone: series.isAllDay ? 'UTC' : series.timeZone,
    monthEnd: series.monthEnd,
    exdates: series.exdates,
    rdates: series.rdates,
  }
}
