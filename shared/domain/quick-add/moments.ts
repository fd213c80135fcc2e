import type { ParsedResult } from 'chrono-node/en'
import { DAY_MS } from '../durations.ts'
import { addDays } from '../recurrence/wall-clock.ts'
import { blank, findPhrases, isWhole, standsApart, standsAside, type Range } from './draft.ts'
import type { Calendar, ClockTime, Language, Precision, SaidTime } from './language.ts'

/** A day, a time of day, both, or so many minutes from now; as it is said, not yet what it means for a task. */
export interface SaidMoment extends Range {
  date: string | null
  /** The date is that of a weekday in a week's time; meant is today if the time that goes with it is still to come. */
  orToday: boolean
  time: ClockTime | null
  precision: Precision
  delayMinutes: number | null
  /** Minutes east of UTC, where the text names them. */
  offset: number | null
  /** The last day of a range of dates. */
  lastDate: string | null
  /** Understood as such, but it says more than one moment, or contradicts itself. */
  isUnread: boolean
  /** A word of the sentence, unless it stands apart. */
  isWord: boolean
  /** Of a rule: the times said before it, "at 9am and 5pm". */
  earlier: readonly SaidTime[]
}

const NOTHING: Omit<SaidMoment, keyof Range> = {
  date: null,
  orToday: false,
  time: null,
  precision: 'exact',
  delayMinutes: null,
  offset: null,
  lastDate: null,
  isUnread: false,
  isWord: false,
  earlier: [],
}

/** All moments that a text names, in its order, those that belong together as one. */
export function findMoments(open: string, language: Language, calendar: Calendar): SaidMoment[] {
  const context = { language, calendar }
  const delays = findPhrases(open, language.delays, context).map(({ meaning, ...range }) => ({
    ...NOTHING,
    ...range,
    delayMinutes: meaning,
  }))
  const free = delays.reduce((text, found) => blank(text, found), open)
  const days = findPhrases(free, language.days, context).map(({ meaning, ...range }) =>
    withPartOfDay(free, { ...NOTHING, ...range, ...meaning, precision: 'usual' }, language),
  )
  const times = findPhrases(free, language.times, context).map(({ meaning, ...range }) => ({
    ...NOTHING,
    ...range,
    ...meaning,
  }))
  const own = [...days, ...times.filter((time) => days.every((day) => isApart(day, time)))]
  const rest = own
    .reduce((text, found) => blank(text, found), free)
    .replaceAll(language.relations, (word) => blank(word, { start: 0, end: word.length }))
  const written = writtenMoments(rest, context)
  const all = [...delays, ...own, ...written].toSorted((a, b) => a.start - b.start)
  return joined(open, all, language).map((found) => {
    const isWord = found.isWord && !standsApart(open, found, language)
    return withLeadIn(open, { ...found, isWord }, language)
  })
}

const isApart = (a: Range, b: Range): boolean => a.end <= b.start || b.end <= a.start

/** Dates and times of day as chrono reads them, from its components: its Date is one of the host's zone. */
function writtenMoments(
  rest: string,
  { language, calendar }: { language: Language; calendar: Calendar },
): SaidMoment[] {
  // Noon lies in no gap of any zone, so that the host's zone makes no other day of it.
  const reference = { instant: new Date(`${calendar.today}T12:00:00Z`), timezone: 0 }
  return language.dates.parse(rest, reference).flatMap((result) => {
    const range = { start: result.index, end: result.index + result.text.length }
    if (!isWhole(rest, range) || result.start.tags().has('result/relativeDateAndTime')) return []
    // 3/4 is a date by the end of a text, and a part of something else.
    const isFraction = /^\d{1,2}[/.-]\d{1,2}\.?$/.test(result.text)
    if (isFraction && !standsAside(rest, range, language)) return []
    const date = dateOf(result, calendar)
    const said = timeOf(result, language)
    if (!date && !said) return []
    // "at 3 beers", "the 8:30 train"; but a time may begin the text.
    const isFirst = rest.slice(0, range.start).trim() === ''
    const isHour = !date && (isFirst ? /^\D*\d{1,2}$/ : /^(?:\D*\d{1,2}|\d{1,2}:\d\d)$/).test(result.text)
    if (isHour && !/\uE000\s*$/.test(rest.slice(0, range.start)) && !standsApart(rest, range, language))
      return []
    const moment = { ...NOTHING, ...range, ...said, date, offset: said && offsetOf(result) }
    if (!result.end) return [moment]
    const { end, text } = result
    const lastDate = said || end.isCertain('hour') ? null : dateOf({ start: end, text }, calendar)
    return [{ ...moment, lastDate, isUnread: true }]
  })
}

/** Without a year: the next such day, today included. */
function dateOf({ start, text }: Pick<ParsedResult, 'start' | 'text'>, { today }: Calendar): string | null {
  if (!start.isCertain('day') || !start.isCertain('month')) return null
  // What chrono counts from now in ways of its own.
  if (start.tags().has('result/relativeDate') || !/\d/.test(text)) return null
  const [month, day] = [start.get('month')!, start.get('day')!]
  if (start.isCertain('year')) return civilDateOf(start.get('year')!, month, day)
  const year = Number(today.slice(0, 4))
  const date = civilDateOf(year, month, day)
  return date !== null && date >= today ? date : civilDateOf(year + 1, month, day)
}

function civilDateOf(year: number, month: number, day: number): string | null {
  if (year < 1900 || year >= 2200) return null
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCDate() === day ? date.toISOString().slice(0, 10) : null
}

function timeOf({ start, text }: ParsedResult, { lastAfternoonHour }: Language): SaidTime | null {
  if (!start.isCertain('hour') || !/\d/.test(text)) return null
  const hour = start.get('hour')!
  const isBare = !start.isCertain('meridiem') && hour >= 1 && hour <= 12 && !/\b0\d/.test(text)
  return {
    time: clockTime(isBare && hour <= lastAfternoonHour ? hour + 12 : hour, start.get('minute') ?? 0),
    precision: isBare ? 'bare' : 'exact',
  }
}

const offsetOf = ({ start }: ParsedResult): number | null =>
  start.isCertain('timezoneOffset') ? start.get('timezoneOffset') : null

const clockTime = (hour: number, minute: number): ClockTime =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`

/** "friday" and "at 9am" beside each other are one moment; so are "at 8" and "in the evening". */
function joined(open: string, all: readonly SaidMoment[], language: Language): SaidMoment[] {
  const made: SaidMoment[] = []
  for (const next of all) {
    const found = withPartOfDay(open, next, language)
    const last = made.at(-1)
    if (last && found.start < last.end) continue
    const both = last && language.joint.test(open.slice(last.end, found.start)) ? together(last, found) : null
    if (both) made[made.length - 1] = withPartOfDay(open, both, language)
    else made.push(found)
  }
  return made
}

/** Null: they are not one moment. */
export function together(a: SaidMoment, b: SaidMoment): SaidMoment | null {
  if (a.delayMinutes !== null || b.delayMinutes !== null) return null
  if (a.lastDate || b.lastDate) return null
  // "Mon, 7 December": a weekday beside a date that is one.
  if (a.date && b.date && (Date.parse(b.date) - Date.parse(a.date)) % (7 * DAY_MS) !== 0) return null
  const dated = b.date ? b : a
  const timed = b.time && (!a.time || a.precision === 'usual') ? b : a
  const other = timed === a ? b : a
  if (other.time && (other.precision !== 'usual' || timed.precision === 'usual')) return null
  const made = {
    ...NOTHING,
    start: a.start,
    end: b.end,
    date: dated.date,
    orToday: dated.orToday,
    time: timed.time,
    precision: timed.precision,
    offset: timed.offset,
    isUnread: a.isUnread || b.isUnread,
    isWord: a.isWord && b.isWord,
    earlier: timed.earlier,
  }
  return other.time ? inPart(made, other.time) : made
}

function withPartOfDay(open: string, found: SaidMoment, language: Language): SaidMoment {
  const part = found.delayMinutes === null ? partOfDayAfter(open, found, language) : null
  if (!part) return found
  const { end, time: usual, isSaid } = part
  if (found.time !== null && !isSaid) return found
  if (found.time === null) return { ...found, end, time: usual, precision: 'usual' }
  return inPart({ ...found, end }, usual)
}

/** The night of a day ends on the next one. */
function inPart(found: SaidMoment, usual: ClockTime): SaidMoment {
  const { time, precision } = found
  const said = inPartOfDay({ time: time!, precision }, usual)
  if (said === null) return { ...found, isUnread: true }
  const date = found.date && said.isNextDay ? addDays(found.date, 1) : found.date
  return { ...found, date, orToday: found.orToday && !said.isNextDay, time: said.time, precision: 'exact' }
}

export function partOfDayAfter(
  open: string,
  { end }: Range,
  { partOfDay: { pattern, times } }: Language,
): { end: number; time: ClockTime; isSaid: boolean } | null {
  const match = pattern.exec(open.slice(end))
  const part = (match?.groups?.['of'] ?? match?.groups?.['part'])?.toLowerCase()
  return match && part !== undefined
    ? { end: end + match[0].length, time: times[part]!, isSaid: match.groups!['of'] !== undefined }
    : null
}

/** 7 in the evening is 19:00, 1 at night is past midnight. Null: 9am is not in the evening. */
export function inPartOfDay(
  { time, precision }: SaidTime,
  usual: ClockTime,
): { time: ClockTime; isNextDay: boolean } | null {
  const hour = Number(time.slice(0, 2))
  const [isNight, isMorning] = [usual >= NIGHT, usual < '12:00']
  // 12 in the morning is noon to some and midnight to others.
  if (precision === 'usual' || (isMorning && hour === 12)) return null
  if (precision === 'exact') {
    const isNextDay = isNight && hour < LATEST_NIGHT_HOUR
    const isIn = isNight ? isNextDay || hour >= LATEST_NOON_HOUR : isMorning === hour < 12
    return isIn ? { time, isNextDay } : null
  }
  const said = hour % 12
  const isNextDay = isNight && said < LATEST_NIGHT_HOUR
  const isBeforeNoon = isNextDay || (isMorning && said > 0)
  return { time: clockTime(isBeforeNoon ? said : said + 12, Number(time.slice(3))), isNextDay }
}

const NIGHT: ClockTime = '20:00'
const LATEST_NIGHT_HOUR = 6
const LATEST_NOON_HOUR = 16

/** "at 9am and 5pm": as far as they are all at the same minute, the times of a rule are one moment. */
export function withEarlierTimes(open: string, all: readonly SaidMoment[], { and }: Language): SaidMoment[] {
  const made: SaidMoment[] = []
  for (const next of all) {
    const last = made.at(-1)
    const isJoined =
      last?.time &&
      last.date === null &&
      next.date === null &&
      !last.isUnread &&
      last.precision !== 'usual' &&
      next.time?.slice(3) === last.time.slice(3) &&
      and.test(open.slice(last.end, next.start))
    if (!isJoined) made.push(next)
    else {
      const { time, precision, earlier, start } = last
      made[made.length - 1] = { ...next, start, earlier: [...earlier, { time: time!, precision }] }
    }
  }
  return made
}

function withLeadIn(open: string, found: SaidMoment, { leadIn }: Language): SaidMoment {
  const match = leadIn.exec(open.slice(0, found.start))
  if (!match) return found
  const lead = match[0].replace(/^[\s\uE000]/u, '')
  return { ...found, start: found.start - lead.length }
}
