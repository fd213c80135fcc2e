import { z } from 'zod'
import { DomainError } from '../errors.ts'
import { text, timeZone, type Moment } from '../fields.ts'
import { WEEKDAYS } from '../recurrence/recurrence-rule.ts'
import { ReminderInput, ReminderView } from '../reminders/reminder.ts'
import { TaskInput, TaskView } from '../tasks/task.ts'
import { LANGUAGES, type LanguageTag } from './languages.ts'
import { SPAN_KINDS } from './language.ts'
import { MAX_TEXT_LENGTH, parseQuickAdd, type QuickAddContext } from './quick-add.ts'
import type { Span } from './draft.ts'

export const QuickAddRequest = z
  .strictObject({
    text: text(1, MAX_TEXT_LENGTH).describe(
      'What is to be done, with dates, repetition, !priority, #tags and "remind me …" in it; a word after a backslash, and what is in double quotes, is none of that',
    ),
    time_zone: timeZone
      .optional()
      .describe("IANA zone of the times in the text; by default the user's, else UTC"),
    language: z.enum(Object.keys(LANGUAGES) as [LanguageTag, ...LanguageTag[]]).default('en'),
    first_day_of_week: z.enum(WEEKDAYS).default('MO').describe('What "next week" begins with'),
  })
  .meta({
    id: 'QuickAddRequest',
    examples: [{ text: 'Pay rent every month on the 1st at 9am !high #home', time_zone: 'Europe/Berlin' }],
  })
export type QuickAddRequest = z.infer<typeof QuickAddRequest>

const SpanView = z
  .object({
    start: z.int().nonnegative().describe('UTF-16 code units from the beginning of the trimmed text'),
    end: z.int().positive().describe('The first that belongs no longer'),
    kind: z.enum(SPAN_KINDS),
    text: z.string(),
  })
  .meta({ id: 'QuickAddSpan' })

export const QuickAddResult = z
  .object({
    task: TaskView,
    reminders: z.array(ReminderView),
    spans: z.array(SpanView).describe('The parts of the text that are not in the title, in their order'),
  })
  .meta({ id: 'QuickAddResult' })
export type QuickAddResult = z.infer<typeof QuickAddResult>

export interface QuickAddedTask {
  input: TaskInput
  reminders: ReminderInput[]
  spans: QuickAddResult['spans']
}

/** The task that a text asks for, as it could have been sent field by field. */
export function quickAddedTask(
  request: QuickAddRequest,
  context: Omit<QuickAddContext, 'language' | 'firstDayOfWeek'>,
): QuickAddedTask {
  const { title, due, recurrence, priority, tags, reminders, spans } = parseQuickAdd(request.text, {
    ...context,
    language: request.language,
    firstDayOfWeek: request.first_day_of_week,
  })
  if (title === '') throw ofText(['leaves no title beside what it says'])
  const parsed = TaskInput.safeParse({
    title,
    tags,
    ...(priority && { priority }),
    ...(due && ('date' in due ? { due_date: due.date } : { due_at: momentText(due.at) })),
    ...(recurrence && {
      recurrence_rule: recurrence.rule,
      repeat_from: recurrence.repeatFrom,
      month_end: recurrence.monthEnd,
    }),
    ...(request.time_zone && { time_zone: request.time_zone }),
  })
  if (!parsed.success) {
    throw ofText(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
  }
  const wanted = reminders.map((reminder) =>
    ReminderInput.parse(
      'minutesBefore' in reminder
        ? { offset_minutes: reminder.minutesBefore }
        : { remind_at: momentText(reminder.at) },
    ),
  )
  return { input: parsed.data, reminders: wanted, spans: spans.map((span) => spanView(span, request.text)) }
}

/** Names the text where a refusal names a field that was read from it. */
export function aboutText(error: unknown): unknown {
  if (!(error instanceof DomainError) || error.code !== 'request.invalid') return error
  return ofText(error.errors.map(({ path, message }) => `${path}: ${message}`))
}

function ofText(messages: readonly string[]): DomainError {
  return new DomainError('request.invalid', `text: ${messages.join('; ')}`, {
    errors: messages.map((message) => ({ path: 'text', message })),
  })
}

const momentText = (moment: Moment): string => (typeof moment === 'string' ? moment : moment.toISOString())

const spanView = ({ start, end, kind }: Span, whole: string) => ({
  start,
  end,
  kind,
  text: whole.slice(start, end),
})
