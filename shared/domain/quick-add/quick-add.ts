import { MINUTE_MS } from '../durations.ts'
import type { Moment } from '../fields.ts'
import { MAX_MINUTES_BEFORE } from '../reminders/reminder.ts'
import type { Priority } from '../tasks/task.ts'
import type { Weekday } from '../recurrence/recurrence-rule.ts'
import { addDays, civilDate, instantOf, wallToInstant } from '../recurrence/wall-clock.ts'
import { blank, Draft, findPhrases, type Range, type Span } from './draft.ts'
import { LANGUAGES, type LanguageTag } from './languages.ts'
import type { Calendar, Language, Length, RuleMeaning, SpanKind, Unit } from './language.ts'
import { findMoments, partOfDayAfter, type SaidMoment } from './moments.ts'
import { seriesOf, type Here, type SaidRecurrence } from './rule.ts'
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
  const rule = lastRule(reading, without(draft, before))
  const end = rule && findPhrases(without(draft, [...before, rule]), language.ends, reading).at(-1)
  const open = without(draft, [...before, rule, end])
  const moments = sorted(findMoments(open, language, reading.calendar), open, language, rule !== undefined)
  const said = dueOf(reading, moments, rule, end)
  for (const [kind, range] of said.claims) draft.claim(kind, range)
  const reminders = readReminders(reading, { due: said.due, before, at: moments.reminders })
  const { due, recurrence } = said
  return { title: draft.title(), due, recurrence, priority, tags, reminders, spans: draft.inOrder() }
}

function lastRule(reading: Reading, open: string): SaidRule | undefined {
  const found = findPhrases(open, reading.language.rules, reading).at(-1)
  const part = found && partOfDayAfter(open, found, reading.language)
  return found && part ? { ...found, end: part.end, meaning: { ...found.meaning, time: part.time } } : found
}

const without = ({ open }: Draft, ranges: readonly (Range | undefined)[]): string =>
  ranges.reduce((text, range) => (range ? blank(text, range) : text), open)

type SaidRule = Range & { meaning: RuleMeaning }

interface LedMoment extends SaidMoment {
  isOfDayBefore: boolean
}

interface Moments {
  free: readonly SaidMoment[]
  until?: SaidMoment
  starting?: SaidMoment
  reminders: readonly LedMoment[]
}

/** Moments by what leads into them, which belongs to them from then on. */
function sorted(found: readonly SaidMoment[], open: string, language: Language, hasRule: boolean): Moments {
  const free: SaidMoment[] = []
  const reminders: LedMoment[] = []
  const ofRule: { until?: SaidMoment; starting?: SaidMoment } = {}
  for (const moment of found) {
    const before = open.slice(0, moment.start)
    const led = (lead: RegExp) => {
      const { word, dayBefore } = lead.exec(before)?.groups ?? {}
      if (word === undefined) return null
      return { ...moment, start: moment.start - word.length, isOfDayBefore: dayBefore !== undefined }
    }
    const reminder = led(language.reminders.at)
    const until = moment.date ? led(language.until) : null
    const starting = led(language.starting)
    if (reminder) reminders.push(reminder)
    else if (hasRule && until) ofRule.until = until
    else if (hasRule && starting) ofRule.starting = starting
    else free.push(until ?? starting ?? moment)
  }
  return { free, reminders, ...ofRule }
}

type Claim = [SpanKind, Range]

interface SaidTask {
  due: SaidDue | null
  recurrence: SaidRecurrence | null
  claims: Claim[]
}

function dueOf(
  { here, language, draft }: Reading,
  { free, until, starting }: Moments,
  rule: SaidRule | undefined,
  end: (Range & { meaning: { count: number } | { length: Length } }) | undefined,
): SaidTask {
  if (rule) {
    const delay = free.filter(({ delayMinutes }) => delayMinutes === null)
    const { dated, timed } = lastOf(starting ? [...delay, starting] : delay)
    const times = timed ? [...timesBefore(timed, delay, draft.open, language), timed] : []
    const clock = times.length > 0 ? times.map(({ time }) => time!) : until?.time ? [until.time] : []
    const said = seriesOf(
      {
        meaning: rule.meaning,
        from: dated ? dayOf(dated, timed ?? null, here) : null,
        times: clock,
        end: until ? { until: until.date! } : (end?.meaning ?? null),
      },
      here,
    )
    if (said) {
      const ofRule = [rule, until, until ? undefined : end].filter((range) => range !== undefined)
      const clocks = timed && { ...timed, start: times[0]!.start }
      const claims = (dated === timed ? [dated] : [dated, clocks]).filter((range) => range !== undefined)
      return {
        ...said,
        claims: [
          ...ofRule.map((range): Claim => ['recurrence', range]),
          ...claims.map((range): Claim => ['due', range]),
        ],
      }
    }
  }
  const last = free.at(-1)
  if (!last) return { due: null, recurrence: null, claims: [] }
  if (last.delayMinutes !== null) {
    return { due: { at: inMinutes(here.now, last.delayMinutes) }, recurrence: null, claims: [['due', last]] }
  }
  const { dated, timed } = lastOf(free)
  const parts = [...new Set([dated, timed])].filter((range) => range !== undefined)
  return {
    due: momentOf(
      {
        date: dated?.date ?? null,
        orToday: dated?.orToday ?? false,
        time: timed?.time ?? null,
        offset: timed?.offset ?? null,
      },
      here,
    ),
    recurrence: null,
    claims: parts.map((range): Claim => ['due', range]),
  }
}

/** The last day that is named, with its time; one that has none goes with a time that stands alone. */
function lastOf(moments: readonly SaidMoment[]): { dated?: SaidMoment; timed?: SaidMoment } {
  const dated = moments.findLast(({ date }) => date !== null)
  const alone = moments.findLast(({ date, time }) => date === null && time !== null)
  const timed = dated?.time ? dated : alone
  return { ...(dated && { dated }), ...(timed && { timed }) }
}

/** "at 9am and 5pm": the times before the last one, as far as they are all at the same minute. */
function timesBefore(
  last: SaidMoment,
  moments: readonly SaidMoment[],
  open: string,
  { and }: Language,
): SaidMoment[] {
  const times: SaidMoment[] = []
  let next = last
  for (const moment of moments.slice(0, Math.max(0, moments.indexOf(last))).toReversed()) {
    const isJoined = and.test(open.slice(moment.end, next.start))
    if (!isJoined || moment.date || moment.time?.slice(3) !== last.time?.slice(3)) break
    times.unshift(moment)
    next = moment
  }
  return times
}

type Parts = Pick<SaidMoment, 'date' | 'orToday' | 'time' | 'offset'>

function dayOf(dated: SaidMoment, timed: SaidMoment | null, here: Here): string {
  const { date, orToday } = dated
  const isAhead = timed?.time && wallToInstant(`${here.today}T${timed.time}`, here.timeZone) > here.now
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
  const { before, onTime } = language.reminders
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
  { due, before, at }: { due: SaidDue | null; before: readonly BeforeDue[]; at: readonly LedMoment[] },
): SaidReminder[] {
  const relative = due ? before : []
  const absolute = at.flatMap((moment) => {
    const time = reminderTime(moment, due, here)
    return time ? [{ ...moment, wish: { at: time } }] : []
  })
  for (const range of [...relative, ...absolute]) draft.claim('reminder', range)
  const wishes = [
    ...relative.flatMap(({ minutes }) => minutes.map((minutesBefore) => ({ minutesBefore }))),
    ...absolute.map(({ wish }) => wish),
  ].slice(0, MAX_REMINDERS_SAID)
  const [first] = draft.inOrder()
  const isFirst = first?.kind === 'reminder' && draft.text.slice(0, first.start).trim() === ''
  const goesOn = isFirst ? language.reminders.goesOn.exec(draft.open.slice(first.end)) : null
  if (goesOn) draft.claim('reminder', { start: first!.end, end: first!.end + goesOn[0].length })
  const to = language.reminders.to.exec(draft.open)
  if (!to || (due === null && wishes.length === 0)) return wishes
  const { head, tail } = to.groups as Record<'head' | 'tail', string>
  const start = to[0].indexOf(head)
  const end = to[0].trimEnd().length
  draft.claim('reminder', { start, end: start + head.length })
  draft.claim('reminder', { start: end - tail.length, end })
  return wishes.length > 0 ? wishes : [{ minutesBefore: 0 }]
}

/** Without a day: the last such time that is not after the due time, or else the next one. */
function reminderTime(said: LedMoment, due: SaidDue | null, here: Here): Moment | null {
  if (said.delayMinutes !== null) return inMinutes(here.now, said.delayMinutes)
  const time = said.time ?? MORNING
  const dueDate =
    due && ('date' in due ? due.date : civilDate(instantOf(due.at, here.timeZone), here.timeZone))
  if (said.isOfDayBefore) return dueDate && `${addDays(dueDate, -1)}T${time}:00.000`
  if (said.date === null && dueDate !== null && said.offset === null) {
    const isLate = (date: string) =>
      due && 'at' in due
        ? wallToInstant(`${date}T${time}`, here.timeZone) > instantOf(due.at, here.timeZone)
        : date > dueDate
    const date = isLate(dueDate) ? addDays(dueDate, -1) : dueDate
    if (wallToInstant(`${date}T${time}`, here.timeZone) > here.now) return `${date}T${time}:00.000`
  }
  const next = momentOf({ ...said, time }, here)
  return 'at' in next ? next.at : null
}

/** Of a day without a time, as for relative reminders. */
const MORNING = '09:00'
