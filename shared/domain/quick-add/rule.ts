import { firstOccurrence, nextOccurrence, type RecurrencePattern } from '../recurrence/recurrence.ts'
import { formatRule, parseRule, RecurrenceError, type RecurrenceRule } from '../recurrence/recurrence-rule.ts'
import { dateSlot, slotDay } from '../recurrence/slots.ts'
import { addDays, instantToWall, wallToInstant, type WallTime } from '../recurrence/wall-clock.ts'
import type { MonthEnd } from '../recurrence/recurrence-rule.ts'
import type { RepeatFrom } from '../tasks/task.ts'
import { addMonths } from './calendar.ts'
import type { ClockTime, Length, RuleEnd, RuleMeaning, SaidTime } from './language.ts'
import { inPartOfDay } from './moments.ts'

export interface SaidRecurrence {
  rule: string
  monthEnd: MonthEnd | null
  repeatFrom: RepeatFrom
}

interface SaidSeries {
  meaning: RuleMeaning
  /** The first day, where the text names one. */
  from: string | null
  /** In their order; one at most where the rule is counted in hours. */
  times: readonly SaidTime[]
  end: RuleEnd | { until: string } | null
}

/** When and where it is said. */
export interface Here {
  now: Date
  timeZone: string
  today: string
}

/**
 * A rule with its first occurrence, which is where it is counted from: "every other monday" begins on the next Monday, whatever
 * week that is. Null when the rule has none.
 */
export function seriesOf(
  { meaning, from, times, end }: SaidSeries,
  here: Here,
): { recurrence: SaidRecurrence; due: { date: string } | { at: WallTime } } | null {
  const usual = meaning.time
  const clocks = times.flatMap((said) => clockIn(said, usual, meaning.rule) ?? [])
  if (clocks.length < times.length) return null
  const rule = withTimes(meaning.rule, clocks)
  const isHourly = rule.freq === 'HOURLY'
  const time = clocks[0] ?? usual ?? (isHourly ? nextHour(here) : null)
  const isFree = from === null && !(isHourly && times.length > 0)
  const pattern: RecurrencePattern = {
    // A named first day has the phase of the interval; without one, the first that fits has.
    rule: isFree ? { ...rule, interval: 1 } : rule,
    start: dateSlot(from ?? here.today),
    timeZone: 'UTC',
    monthEnd: monthEndOf(rule) ?? 'skip',
    exdates: [],
    rdates: [],
  }
  try {
    const first = time === null ? firstDay(pattern, here) : firstTime(pattern, time, from, here)
    if (first === null) return null
    const ended = withEnd(rule, first.slice(0, 10), end)
    const text = formatRule(parseRule(formatRule(ended)).rule)
    if (ended.until !== undefined && ended.until < first.slice(0, 10).replaceAll('-', '')) return null
    return {
      recurrence: { rule: text, monthEnd: monthEndOf(rule), repeatFrom: meaning.repeatFrom ?? 'due' },
      due: time === null ? { date: first } : { at: first },
    }
  } catch (error) {
    if (error instanceof RecurrenceError) return null
    throw error
  }
}

/** Null: the two contradict each other, or mean the night after the day of the rule. */
function clockIn(
  said: SaidTime,
  usual: ClockTime | undefined,
  { byDay, byMonthDay }: RecurrenceRule,
): ClockTime | null {
  if (usual === undefined || (said.precision === 'usual' && said.time === usual)) return said.time
  const clock = inPartOfDay(said, usual)
  return clock === null || (clock.isNextDay && (byDay || byMonthDay)) ? null : clock.time
}

const firstDay = (pattern: RecurrencePattern, { timeZone }: Here): string | null => {
  const first = firstOccurrence(pattern)
  return first && slotDay(first, { isAllDay: true, timeZone })
}

/** The first time that is still to come, or the first of the day that was named. */
function firstTime(
  pattern: RecurrencePattern,
  time: ClockTime,
  from: string | null,
  { now, timeZone, today }: Here,
): WallTime | null {
  const { freq, byDay, byMonthDay, byHour } = pattern.rule
  const at = (date: string) => wallToInstant(`${date}T${time}`, timeZone)
  // A rule that names no day begins with the first time that is to come, and goes on from that day.
  const isOpen = from === null && freq !== 'HOURLY' && !byDay && !byMonthDay && !byHour
  const start = at(isOpen && at(today) <= now ? addDays(today, 1) : (from ?? today))
  const timed = { ...pattern, start, timeZone }
  const first = from === null ? nextOccurrence(timed, now) : firstOccurrence(timed)
  if (first === null) return null
  const wall = instantToWall(first, timeZone)
  // A time that the clocks leave out on that day is what is meant on all others.
  return freq !== 'HOURLY' && !byHour ? `${wall.slice(0, 10)}T${time}:00.000` : wall
}

function nextHour({ now, timeZone }: Here): ClockTime {
  const hour = Number(instantToWall(now, timeZone).slice(11, 13))
  return `${String((hour + 1) % 24).padStart(2, '0')}:00`
}

function withTimes(rule: RecurrenceRule, times: readonly ClockTime[]): RecurrenceRule {
  if (times.length < 2) return rule
  return { ...rule, byHour: times.map((time) => Number(time.slice(0, 2))).toSorted((a, b) => a - b) }
}

/** Whoever says every month means every month, also on the 31st. */
function monthEndOf({ freq, byDay, byMonthDay }: RecurrenceRule): MonthEnd | null {
  const isOfMonths = (freq === 'MONTHLY' || freq === 'YEARLY') && !byDay
  return isOfMonths && (!byMonthDay || byMonthDay.some((day) => day > 28)) ? 'clamp' : null
}

function withEnd(rule: RecurrenceRule, first: string, end: SaidSeries['end']): RecurrenceRule {
  if (end === null) return rule
  if ('count' in end) return { ...rule, count: end.count }
  const last = 'until' in end ? end.until : addDays(after(first, end.length), -1)
  return { ...rule, until: last.replaceAll('-', '') }
}

function after(date: string, { count, unit }: Length): string {
  if (unit === 'day') return addDays(date, count)
  if (unit === 'week') return addDays(date, 7 * count)
  return addMonths(date, unit === 'year' ? 12 * count : count)
}
