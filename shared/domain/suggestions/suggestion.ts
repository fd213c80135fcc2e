import { z } from 'zod'
import { instantText } from '../fields.ts'
import { WEEKDAYS } from '../recurrence/recurrence-rule.ts'
import type { Priority, Task } from '../tasks/task.ts'

const SUGGESTION_KINDS = ['next', 'tag', 'priority', 'time'] as const
export type SuggestionKind = (typeof SUGGESTION_KINDS)[number]

const VERDICTS = ['accepted', 'dismissed'] as const

/** What rules look at of an open task. */
export type OpenTask = Pick<
  Task,
  'id' | 'title' | 'priority' | 'tags' | 'dueAt' | 'dueDate' | 'timeZone' | 'createdAt'
>

/** And of one that was completed. */
export interface DoneTask {
  title: string
  priority: Priority
  tags: readonly string[]
  completedAt: Date
}

export interface Feedback {
  kind: SuggestionKind
  taskId: string
  value: string | null
  verdict: (typeof VERDICTS)[number]
  at: Date
}

/** All that suggestions follow from: the first tasks by due time, what was completed last, and the latest feedback. */
export interface SuggestionMaterial {
  open: readonly OpenTask[]
  done: readonly DoneTask[]
  feedback: readonly Feedback[]
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const ID = new RegExp(`^(?:(next)\\.(${UUID})|(tag|priority|time)\\.(${UUID})\\.([A-Za-z0-9_-]{1,300}))$`)

export interface SuggestionKey {
  kind: SuggestionKind
  taskId: string
  value: string | null
}

/** An id says what it suggests, so that feedback needs no row to find. */
export const suggestionId = ({ kind, taskId, value }: SuggestionKey): string =>
  value === null ? `${kind}.${taskId}` : `${kind}.${taskId}.${Buffer.from(value).toString('base64url')}`

export const SuggestionId = z.string().max(400)

/** Null: it is the id of no suggestion. */
export function suggestionKey(id: string): SuggestionKey | null {
  const [, next, ofNext, kind, ofOther, encoded] = ID.exec(id) ?? []
  if (next) return { kind: 'next', taskId: ofNext!, value: null }
  if (!kind) return null
  const value = Buffer.from(encoded!, 'base64url').toString()
  const key = { kind: kind as SuggestionKind, taskId: ofOther!, value }
  return suggestionId(key) === id && !value.includes('\u0000') ? key : null
}

export const SuggestionView = z
  .object({
    id: z.string(),
    kind: z.enum(SUGGESTION_KINDS).describe('next: do this task; the others: a value that it lacks'),
    task_id: z.uuid(),
    task_title: z.string(),
    value: z.string().nullable().describe('The tag, the priority, or the time of day (HH:MM); null for next'),
    reason: z.string(),
  })
  .meta({ id: 'Suggestion' })
export type SuggestionView = z.infer<typeof SuggestionView>

export const Suggestions = z
  .object({
    items: z.array(SuggestionView).describe('By kind, the best first'),
    time_slots: z
      .array(
        z.object({
          weekday: z.enum(WEEKDAYS),
          hour: z.int().min(0).max(23),
          completed: z.int().describe('Of the tasks that were completed last'),
        }),
      )
      .describe('When tasks were completed most often, in the zone that was asked for'),
  })
  .meta({ id: 'Suggestions' })
export type Suggestions = z.infer<typeof Suggestions>

export const SuggestionFeedback = z
  .strictObject({ verdict: z.enum(VERDICTS) })
  .meta({ id: 'SuggestionFeedback', examples: [{ verdict: 'dismissed' }] })
export type SuggestionFeedback = z.infer<typeof SuggestionFeedback>

export const SuggestionFeedbackView = z
  .object({
    kind: z.enum(SUGGESTION_KINDS),
    task_id: z.uuid(),
    value: z.string().nullable(),
    verdict: z.enum(VERDICTS),
    given_at: instantText,
  })
  .meta({ id: 'GivenSuggestionFeedback' })
export type SuggestionFeedbackView = z.infer<typeof SuggestionFeedbackView>
