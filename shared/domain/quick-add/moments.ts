import type { ParsedResult } from 'chrono-node/en'
import { DAY_MS } from '../durations.ts'
import { blank, findPhrases, isWhole, standsAside, type Range } from './draft.ts'
import type { Calendar, ClockTime, Language } from './language.ts'

/** A day, a time of day, both, or so many minutes from now; as it is said, not yet what it means for a task. */
export interface SaidMoment extends Range {
  date: string | null
  /** The date is that of a weekday in a week's time; meant is today if the time that goes with it is still to come. */
  orToday: boolean
  time: ClockTime | null
  delayMinutes: number | null
  /** Minutes east of UTC, where the text names them. */
  offset: number | null
}

const NOTHING = { date: null, orToday: false, time: null, delayMinutes: null, offset: null }

/** All moments that a text names, in its order, those that belong together as one. */
export function findMoments(open: string, language: Language, calendar: Calendar): SaidMoment[] {
  const context = { language, calendar }
  const delays = findPhrases(open, language.delays, context).map(({ meaning, ...range }) => ({
    ...range,
    ...NOTHING,
    delayMinutes: meaning,
  }))
  const free = delays.reduce((text, found) => blank(text, found), open)
  const days = findPhrases(free, language.days, context).map(({ meaning, ...range }) => ({
    ...range,
    ...NOTHING,
    ...meaning,
  }))
  const times = findPhrases(free, language.times, context).map(({ meaning, ...range }) => ({
    ...range,
    ...NOTHING,
    time: meaning,
  }))
  const own = [...days, ...times.filter((time) => days.every((day) => isApart(day, time)))]
  const rest = own
    .reduce((text, found) => blank(text, found), free)
    .replaceAll(language.relations, (word) => blank(word, { start: 0, end: word.length }))
  const written = writtenMoments(rest, context)
  const all = [...delays, ...own, ...written].toSorted((a, b) => a.start - b.start)
  return joined(open, all, language).map((found) => withLeadIn(open, found, language))
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
    const time = timeOf(result, language)
    return date || time
      ? [{ ...NOTHING, ...range, date, time, offset: time === null ? null : offsetOf(result) }]
      : []
  })
}

/** Without a year: the next such day, today included. */
function dateOf({ start, text }: ParsedResult, { today }: Calendar): string | null {
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

function timeOf({ start, text }: ParsedResult, { lastAfternoonHour }: Language): ClockTime | null {
  if (!start.isCertain('hour') || !/\d/.test(text)) return null
  const hour = start.get('hour')!
  const isBare = !start.isCertain('meridiem') && !/\d[:.h]\s?\d|\b0\d/.test(text)
  return clockTime(
    isBare && hour >= 1 && hour <= lastAfternoonHour ? hour + 12 : hour,
    start.get('minute') ?? 0,
  )
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

function together(a: SaidMoment, b: SaidMoment): SaidMoment | null {
  if (a.delayMinutes !== null || b.delayMinutes !== null) return null
  if (a.time && b.time) return null
  // "Mon, 7 December": a weekday beside a date that is one.
  if (a.date && b.date && (Date.parse(b.date) - Date.parse(a.date)) % (7 * DAY_MS) !== 0) return null
  const dated = b.date ? b : a
  const timed = a.time ? a : b
  const { date, orToday } = dated
  return {
    start: a.start,
    end: b.end,
    date,
    orToday,
    time: timed.time,
    offset: timed.offset,
    delayMinutes: null,
  }
}

function withPartOfDay(open: string, found: SaidMoment, language: Language): SaidMoment {
  const part = found.delayMinutes === null ? partOfDayAfter(open, found, language) : null
  if (!part) return found
  const { end, time: usual } = part
  if (found.time === null) return { ...found, end, time: usual }
  return { ...found, end, time: inPartOfDay(found.time, usual) }
}

export function partOfDayAfter(
  open: string,
  { end }: Range,
  { partOfDay: { pattern, times } }: Language,
): { end: number; time: ClockTime } | null {
  const match = pattern.exec(open.slice(end))
  const part = (match?.groups?.['of'] ?? match?.groups?.['part'])?.toLowerCase()
  return match && part !== undefined ? { end: end + match[0].length, time: times[part]! } : null
}

/** The time on the same side of noon as the part of the day that it is in: 7 in the evening is 19:00. */
export function inPartOfDay(time: ClockTime, usual: ClockTime): ClockTime {
  const hour = Number(time.slice(0, 2))
  const isAfternoon = usual >= '12:00'
  const shifted = isAfternoon && hour < 12 ? hour + 12 : !isAfternoon && hour > 12 ? hour - 12 : hour
  return clockTime(shifted, Number(time.slice(3)))
}

function withLeadIn(open: string, found: SaidMoment, { leadIn }: Language): SaidMoment {
  const match = leadIn.exec(open.slice(0, found.start))
  if (!match) return found
  const lead = match[0].replace(/^[\s\uE000]/u, '')
  return { ...found, start: found.start - lead.length }
}
