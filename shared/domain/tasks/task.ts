import { z } from 'zod'
import {
  civilDate,
  dateOrMoment,
  instantText,
  moment,
  occurrenceText,
  text,
  timeZoneOr,
  uuid,
} from '../fields.ts'
import { MONTH_ENDS, type MonthEnd } from '../recurrence/recurrence-rule.ts'
import { slotText, type Slot } from '../recurrence/slots.ts'

export const PRIORITIES = ['low', 'medium', 'high'] as const
export type Priority = (typeof PRIORITIES)[number]
const PRIORITY_COLORS = { low: 'gray', medium: 'yellow', high: 'red' } as const satisfies Record<
  Priority,
  string
>

export const REPEAT_FROM = ['due', 'completion'] as const
export type RepeatFrom = (typeof REPEAT_FROM)[number]

/** Which occurrences an edit reaches: this one, this and the later ones, or the whole series. */
const EDIT_SCOPES = ['this', 'future', 'all'] as const
export const EditScope = z
  .enum(EDIT_SCOPES)
  .default('this')
  .describe(
    'Which occurrences of a series change: this one; this and future ones; or all open ones, including earlier ones that were reopened',
  )
export type EditScope = z.infer<typeof EditScope>

export const TaskId = uuid

export const MAX_TAGS = 20
/** As a time zone: the user's present one. */
export const FLOATING = 'floating'

/** What the series of an occurrence says beside its rule. */
export interface SeriesTerms {
  isAllDay: boolean
  monthEnd: MonthEnd
  exdates: readonly Slot[]
  rdates: readonly Slot[]
}

/** A task as the domain holds it. One occurrence of a series is a task of its own. */
export interface Task {
  id: string
  userId: string
  title: string
  description: string | null
  priority: Priority
  tags: readonly string[]
  completedAt: Date | null
  /** Always set when the task is due at all; alone (without `dueAt`) the task is due on a day, not at a time. */
  dueDate: string | null
  dueAt: Date | null
  timeZone: string
  /** The zone is whatever the user's present one is. */
  isFloating: boolean
  remindAt: Date | null
  parentId: string | null
  position: number
  seriesId: string | null
  /** The place in the series this task stands for (RFC 5545 RECURRENCE-ID); stays when the task is moved. */
  occurrenceAt: Slot | null
  /** Null once the task repeats no longer, even though it keeps its `seriesId` for the history. */
  recurrenceRule: string | null
  repeatFrom: RepeatFrom
  /** As they were when the task was closed; null without a series. */
  seriesTerms: SeriesTerms | null
  version: number
  createdAt: Date
  updatedAt: Date
  deletedAt: Date | null
}

export const TaskView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    title: z.string(),
    description: z.string().nullable(),
    priority: z.enum(PRIORITIES),
    priority_color: z.enum(['red', 'yellow', 'gray']),
    tags: z.array(z.string()),
    is_completed: z.boolean(),
    completed_at: instantText.nullable(),
    due_date: z.iso.date().nullable(),
    due_at: instantText.nullable(),
    time_zone: z.string().describe("IANA zone, or floating: the user's present one"),
    remind_at: instantText.nullable(),
    is_recurring: z.boolean(),
    recurrence_rule: z.string().nullable(),
    series_id: z.uuid().nullable(),
    occurrence_at: occurrenceText.nullable().describe('A date in an all-day series'),
    repeat_from: z.enum(REPEAT_FROM),
    month_end: z.enum(MONTH_ENDS).nullable(),
    exdates: z.array(occurrenceText),
    rdates: z.array(occurrenceText),
    parent_id: z.uuid().nullable(),
    position: z.int(),
    version: z.int().positive(),
    created_at: instantText,
    updated_at: instantText,
    deleted_at: instantText.nullable(),
  })
  .meta({ id: 'Task' })
export type TaskView = z.infer<typeof TaskView>

/** The task in events: with what its row needs and clients do not. */
export const TaskRecord = TaskView.extend({
  zone: z.string().optional().describe('Of a floating task: the IANA zone it is in at present'),
}).meta({ id: 'TaskRecord' })
export type TaskRecord = z.infer<typeof TaskRecord>

export const taskRecord = (task: Task): TaskRecord => ({
  ...taskView(task),
  ...(task.isFloating && { zone: task.timeZone }),
})

export function taskView(task: Task): TaskView {
  const terms = task.seriesTerms
  const slot = (at: Slot) => slotText(at, { isAllDay: terms?.isAllDay ?? false })
  // Without a rule a task repeats no longer, and may be sent back as one that never did.
  const present = task.recurrenceRule === null ? null : terms
  return {
    id: task.id,
    user_id: task.userId,
    title: task.title,
    description: task.description,
    priority: task.priority,
    priority_color: PRIORITY_COLORS[task.priority],
    tags: [...task.tags],
    is_completed: task.completedAt !== null,
    completed_at: task.completedAt?.toISOString() ?? null,
    due_date: task.dueDate,
    due_at: task.dueAt?.toISOString() ?? null,
    time_zone: task.isFloating ? FLOATING : task.timeZone,
    remind_at: task.remindAt?.toISOString() ?? null,
    is_recurring: task.recurrenceRule !== null,
    recurrence_rule: task.recurrenceRule,
    series_id: task.seriesId,
    occurrence_at: task.occurrenceAt && slot(task.occurrenceAt),
    repeat_from: task.repeatFrom,
    month_end: present?.monthEnd ?? null,
    exdates: present?.exdates.map(slot) ?? [],
    rdates: present?.rdates.map(slot) ?? [],
    parent_id: task.parentId,
    position: task.position,
    version: task.version,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    deleted_at: task.deletedAt?.toISOString() ?? null,
  }
}

/** Tags are matched case-insensitively: this is the form they are compared in. */
export const tagKey = (tag: string): string => tag.normalize('NFC').toLowerCase()

const tags = z
  .array(text(1, 50))
  .max(MAX_TAGS)
  .transform((list) => {
    const keys = list.map(tagKey)
    return list.filter((_tag, index) => keys.indexOf(keys[index]!) === index)
  })

const fields = {
  title: text(1, 255),
  description: text(0, 5000).nullable(),
  priority: z.enum(PRIORITIES),
  tags,
  due_at: moment.nullable(),
  due_date: civilDate.nullable(),
  time_zone: timeZoneOr(FLOATING),
  remind_at: moment.nullable(),
  parent_id: uuid.nullable(),
  recurrence_rule: z.string().max(500).nullable(),
  exdates: z.array(dateOrMoment).max(500),
  rdates: z.array(dateOrMoment).max(500),
  month_end: z.enum(MONTH_ENDS).nullable(),
  repeat_from: z.enum(REPEAT_FROM),
}

/** A new task, or the whole of one that replaces it: what is left out takes its default. */
export const TaskInput = z
  .strictObject({
    ...fields,
    description: fields.description.default(null),
    priority: fields.priority.default('medium'),
    tags: fields.tags.default([]),
    due_at: fields.due_at.default(null).describe('Without an offset: local time in time_zone'),
    due_date: fields.due_date.default(null),
    time_zone: fields.time_zone
      .optional()
      .describe(
        "IANA zone, or floating: the user's present one, with which the task moves; by default the user's, else UTC",
      ),
    remind_at: fields.remind_at.default(null),
    parent_id: fields.parent_id.default(null),
    recurrence_rule: fields.recurrence_rule
      .default(null)
      .describe(
        'RRULE value (RFC 5545) or daily, weekly, monthly, yearly, weekdays; due_at or due_date is its start',
      ),
    exdates: fields.exdates.default([]).describe('Excluded date-times; dates in an all-day series'),
    rdates: fields.rdates.default([]),
    month_end: fields.month_end
      .default(null)
      .describe('A day past the end of a month becomes its last day (clamp) or is left out (skip)'),
    repeat_from: fields.repeat_from.default('due'),
  })
  .meta({
    id: 'TaskInput',
    examples: [
      {
        title: 'Water plants',
        priority: 'high',
        tags: ['home'],
        due_at: '2027-03-01T09:00:00',
        time_zone: 'Europe/Berlin',
        recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO',
      },
    ],
  })
export type TaskInput = z.infer<typeof TaskInput>

/** A merge patch (RFC 7396): only what is named changes; null clears. */
export const TaskPatch = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'TaskPatch', examples: [{ priority: 'low', tags: ['home', 'garden'] }] })
export type TaskPatch = z.infer<typeof TaskPatch>
