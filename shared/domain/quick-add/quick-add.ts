import { MINUTE_MS } from '../durations.ts'
import type { Moment } from '../fields.ts'
import { MAX_MINUTES_BEFORE } from '../reminders/reminder.ts'
import type { Priority } from '../tasks/task.ts'
import type { Weekday } from '../recurrence/recurrence-rule.ts'
import { addDays, civilDate, instantOf, wallToInstant } from '../recurrence/wall-clock.ts'
import { blank, Draft, findPhrases, type Range, type Span } from './draft.ts'
import { LANGUAGES, type LanguageTag } from './languages.ts'
import type { Calendar, Language, RuleMeaning, SpanKind, Unit } from './language.ts'
import { together, type SaidMoment } from './moments.ts'
import { seriesOf, type Here, type SaidRecurrence } from './rule.ts'
import { findSaid, type LedMoment, type Said } from './said.ts'
import { keepLiterals, readPriority, readTags } from './tokens.ts'

/** In UTF-16 code units. Reading takes some milliseconds then (docs/quick-add.md). */
export const MAX_TEXT_LENGTH = 500
/** What is more stays in the title. */
const MAX_REMINDERS_SAID = 5

export interface QuickAddContext {
  now: Date
  timeZone: string
  firstDayOfWeek: Weekday
  language: LanguageTag
}

export type SaidDue = { date: string } | { at: Moment }
export type SaidReminder = { minutesBefore: number } | { at: Moment }

/** What one line of text says of a task. Null: it does not say. */
export interface QuickAdd {
  title: string
  due: SaidDue | null
  recurrence: SaidRecurrence | null
  priority: Priority | null
  tags: string[]
  reminders: SaidReminder[]
  /** Ascending, without overlaps. */
  spans: Span[]
}

interface Reading {
  draft: Draft
  language: Language
  calendar: Calendar
  here: Here
}

/**
 * Reads a line of text. Where it says two things of a kind, the last one counts and the others stay in the title, as does
 * everything that is not understood.
 */
export function parseQuickAdd(text: string, context: QuickAddContext): QuickAdd {
  const { now, timeZone, firstDayOfWeek } = context
  const today = civilDate(now, timeZone)
  const language = LANGUAGES[context.language]
  const draft = new Draft(text)
  const reading = { draft, language, calendar: { today, firstDayOfWeek }, here: { now, timeZone, today } }
  keepLiterals(draft, language)
  const tags = readTags(draft)
  const priority = readPriority(draft, reading)
  const before = remindersBefore(reading)
  const said = findSaid(without(draft, before), language, reading.calendar)
  const task = dueOf(reading, said)
  for (const [kind, range] of task.claims) draft.claim(kind, range)
  const reminders = readReminders(reading, { task, before, at: said.reminders })
  const { due, recurrence } = task
  return { title: draft.title(), due, recurrence, priority, tags, reminders, spans: draft.inOrder() }
}

const without = ({ open }: Draft, ranges: readonly (Range | undefined)[]): string =>
  ranges.reduce((text, range) => (range ? blank(text, range) : text), open)

type Claim = [SpanKind, Range]

interface SaidTask {
  due: SaidDue | null
  recurrence: SaidRecurrence | null
  /** Of a task that repeats at several times of a day. */
  isSeveral: boolean
  claims: Claim[]
}

const NOTHING: SaidTask = { due: null, recurrence: null, isSeveral: false, claims: [] }

function dueOf({ here }: Reading, said: Said): SaidTask {
  if (said.rule) return seriesDue(said, said.rule, here)
  const last = said.free.at(-1)
  if (!last) return NOTHING
  if (last.delayMinutes !== null) {
    return { ...NOTHING, due: { at: inMinutes(here.now, last.delayMinutes) }, claims: [['due', last]] }
  }
  const { moment, ranges } = lastOf(said.free.filter(({ delayMinutes }) => delayMinutes === null))!
  return { ...NOTHING, due: momentOf(moment, here), claims: ranges.map((range): Claim => ['due', range]) }
}

function seriesDue(said: Said, rule: Range & { meaning: RuleMeaning }, here: Here): SaidTask {
  const { free, starting, until, end, reminders } = said
  const last = lastOf(starting ? [...free, starting] : free)
  // "Remind me at 9 to call Bob every day": that is the time of the task, as it says no other.
  const reminder = rule.meaning.time ? undefined : reminders.find(isTimeOfTask)
  const timed = [last?.moment, until, reminder].find((moment) => moment?.time)
  const times = timed ? [...timed.earlier, { time: timed.time!, precision: timed.precision }] : []
  const lastDay = until?.date ?? starting?.lastDate
  const series = seriesOf(
    {
      meaning: rule.meaning,
      from: last?.moment.date ? dayOf(last.moment, here) : null,
      times,
      end: lastDay ? { until: lastDay } : (end?.meaning ?? null),
    },
    here,
  )
  if (!series) return NOTHING
  const ofRule = [rule, until, lastDay ? undefined : end].filter((range) => range !== undefined)
  return {
    ...series,
    isSeveral: times.length > 1,
    claims: [
      ...ofRule.map((range): Claim => ['recurrence', range]),
      ...(last?.ranges ?? []).map((range): Claim => ['due', range]),
    ],
  }
}

const isTimeOfTask = ({ date, time, offset, isOfDayBefore }: LedMoment): boolean =>
  time !== null && date === null && offset === null && !isOfDayBefore

/** The last day that is named, with its time; one that has none goes with a time that stands alone. */
function lastOf(moments: readonly SaidMoment[]): { moment: SaidMoment; ranges: Range[] } | null {
  const dated = moments.findLast(({ date }) => date !== null)
  const alone = moments.findLast(({ date, time }) => date === null && time !== null)
  const both = dated && alone ? together(dated, alone) : null
  if (both && !both.isUnread) return { moment: both, ranges: [dated!, alone!] }
  const moment = dated ?? alone
  return moment ? { moment, ranges: [moment] } : null
}

type Parts = Pick<SaidMoment, 'date' | 'orToday' | 'time' | 'offset'>

function dayOf({ date, orToday, time }: SaidMoment, here: Here): string {
  const isAhead = time && wallToInstant(`${here.today}T${time}`, here.timeZone) > here.now
  return orToday && isAhead ? here.today : date!
}

/** A time alone is the next such time; a weekday is today only at a time that is still to come. */
function momentOf(said: Parts, here: Here): SaidDue {
  const { time, offset } = said
  if (time === null) return { date: said.date! }
  const at = (date: string): Moment => {
    if (offset === null) return `${date}T${time}:00.000`
    return new Date(Date.parse(`${date}T${time}:00Z`) - offset * MINUTE_MS)
  }
  const isAhead = (date: string) => instantOf(at(date), here.timeZone) > here.now
  if (said.date !== null) return { at: at(said.orToday && isAhead(here.today) ? here.today : said.date) }
  return { at: at(isAhead(here.today) ? here.today : addDays(here.today, 1)) }
}

const inMinutes = (now: Date, minutes: number): Date =>
  new Date(Math.floor((now.getTime() + minutes * MINUTE_MS) / MINUTE_MS) * MINUTE_MS)

interface BeforeDue extends Range {
  minutes: number[]
}

const MINUTES: Record<Unit, number> = {
  minute: 1,
  hour: 60,
  day: 24 * 60,
  week: 7 * 24 * 60,
  month: 30 * 24 * 60,
  year: 366 * 24 * 60,
}

function remindersBefore({ draft, language, ...reading }: Reading): BeforeDue[] {
  const { before: withWord, beforeAlone, onTime, to } = language.reminders
  const before = to.test(draft.open) ? [...withWord, ...beforeAlone] : withWord
  const context = { ...reading, language }
  const relative = findPhrases(draft.open, before, context).map(({ meaning, ...range }) => ({
    ...range,
    minutes: meaning.map(({ count, unit }) => count * MINUTES[unit]),
  }))
  const exact = findPhrases(without(draft, relative), onTime, context).map(({ start, end }) => ({
    start,
    end,
    minutes: [0],
  }))
  return [...relative, ...exact].filter(({ minutes }) =>
    minutes.every((count) => count >= 0 && count <= MAX_MINUTES_BEFORE),
  )
}

/** Reminders that count back from a due time stay in the title of a task that has none. */
function readReminders(
  { draft, language, here }: Reading,
  { task, before, at }: { task: SaidTask; before: readonly BeforeDue[]; at: readonly LedMoment[] },
): SaidReminder[] {
  const { due, recurrence } = task
  const relative = due ? before : []
  const absolute = at.flatMap((moment) => {
    const wish = recurrence ? reminderOfSeries(moment, task, here) : reminderAt(moment, due, here)
    return wish ? [{ ...moment, wish }] : []
  })
  for (const range of [...relative, ...absolute]) draft.claim('reminder', range)
  const wishes = [
    ...relative.flatMap(({ minutes }) => minutes.map((minutesBefore) => ({ minutesBefore }))),
    ...absolute.map(({ wish }) => wish),
  ].slice(0, MAX_REMINDERS_SAID)
  const head = headEnd(draft)
  const goesOn = head === null ? null : language.reminders.goesOn.exec(draft.open.slice(head))
  if (goesOn) draft.claim('reminder', { start: head!, end: head! + goesOn[0].length })
  const to = language.reminders.to.exec(draft.open)
  if (!to || (due === null && wishes.length === 0)) return wishes
  const { head: word, tail } = to.groups as Record<'head' | 'tail', string>
  const start = to[0].indexOf(word)
  const end = to[0].trimEnd().length
  draft.claim('reminder', { start, end: start + word.length })
  draft.claim('reminder', { start: end - tail.length, end })
  return wishes.length > 0 ? wishes : [{ minutesBefore: 0 }]
}

/** Where the title begins, after a reminder and what stands beside it. */
function headEnd(draft: Draft): number | null {
  const spans = draft.inOrder()
  if (spans[0]?.kind !== 'reminder') return null
  const ends = spans.reduce(
    (end, span) => (draft.text.slice(end, span.start).trim() === '' ? span.end : end),
    0,
  )
  return ends === 0 ? null : ends
}

/** As long before each occurrence as before the first, unless it has a day of its own. */
function reminderOfSeries(said: LedMoment, { due, isSeveral }: SaidTask, here: Here): SaidReminder | null {
  const isOwn = said.delayMinutes !== null || said.date !== null || said.offset !== null
  if (isOwn || !due) return reminderAt(said, due, here)
  const wall = 'date' in due ? `${due.date}T${MORNING}:00.000` : due.at
  if (isSeveral || typeof wall !== 'string') return null
  const day = wall.slice(0, 10)
  const at = `${said.isOfDayBefore ? addDays(day, -1) : day}T${said.time ?? MORNING}:00.000`
  const minutesBefore = (Date.parse(`${wall}Z`) - Date.parse(`${at}Z`)) / MINUTE_MS
  return minutesBefore < 0 ? null : { minutesBefore }
}

/** Without a day: the last such time that is not after the due time, or else the next one. */
function reminderAt(said: LedMoment, due: SaidDue | null, here: Here): { at: Moment } | null {
  if (said.delayMinutes !== null) return { at: inMinutes(here.now, said.delayMinutes) }
  const time = said.time ?? MORNING
  const dueDate =
    due && ('date' in due ? due.date : civilDate(instantOf(due.at, here.timeZone), here.timeZone))
  if (said.isOfDayBefore) return dueDate ? { at: `${addDays(dueDate, -1)}T${time}:00.000` } : null
  if (said.date === null && dueDate !== null && said.offset === null) {
    const isLate = (date: string) =>
      due && 'at' in due
        ? wallToInstant(`${date}T${time}`, here.timeZone) > instantOf(due.at, here.timeZone)
        : date > dueDate
    const date = isLate(dueDate) ? addDays(dueDate, -1) : dueDate
    if (wallToInstant(`${date}T${time}`, here.timeZone) > here.now) return { at: `${date}T${time}:00.000` }
  }
  const next = momentOf({ ...said, time }, here)
  return 'at' in next ? next : null
}

/** Of a day without a time, as for relative reminders. */
const MORNING = '09:00'
