import { DAY_MS, HOUR_MS } from '../durations.ts'
import { dayFinder, dayNumber, weekdayOf, type DayFinder, type DayNumber } from './recurrence-days.ts'
import {
  MAX_PERIOD_DAYS,
  WEEKDAYS,
  type MonthEnd,
  type RecurrenceRule,
  type Weekday,
} from './recurrence-rule.ts'
import { timesInHour, timesOfDay } from './recurrence-times.ts'

/** 29 December 1969, a Monday. */
const MONDAY: DayNumber = -3
const LAST_DAY = dayNumber(9999, 12, 31)
/** The Gregorian calendar repeats after 400 years: a rule that finds nothing for so long (and one interval) is over. */
const CYCLE_DAYS = 146_097

/** What the clocks on the wall show, in ms since 1970-01-01 as if it were UTC. */
export type WallMs = number

/**
 * Ascending wall times of a rule from the day `from` on, without COUNT and UNTIL: those in every INTERVAL-th period since DTSTART,
 * reduced by BYSETPOS. BYSETPOS sees the whole period, also what lies before DTSTART. Ends with the year 9999.
 */
export function* ruleWalls(
  openRule: RecurrenceRule,
  monthEnd: MonthEnd,
  start: WallMs,
  from: DayNumber,
): Generator<WallMs> {
  const startDay = Math.floor(start / DAY_MS)
  const rule = withDaysOfStart(openRule, startDay)
  const findDay = dayFinder(rule, monthEnd)
  if (rule.freq === 'HOURLY') {
    yield* hourlyWalls(rule, findDay, start, from)
    return
  }
  const times = timesOfDay(rule, start - startDay * DAY_MS)
  const periods = PERIODS[rule.freq]
  const wkst = WEEKDAYS.indexOf(rule.wkst ?? 'MO')
  const origin = periods.indexOf(startDay, wkst)
  const patience = CYCLE_DAYS + rule.interval * MAX_PERIOD_DAYS[rule.freq]
  let horizon = Math.min(from + patience, LAST_DAY)
  let cursor = periods.firstDay(periods.indexOf(from, wkst), wkst)
  for (;;) {
    const candidate = findDay(cursor, horizon)
    if (candidate === undefined) return
    const steps = Math.ceil((periods.indexOf(candidate, wkst) - origin) / rule.interval)
    const index = origin + steps * rule.interval
    cursor = periods.firstDay(index + 1, wkst)
    for (const wall of atPositions(wallsOf(periods.firstDay(index, wkst), cursor - 1), rule.bySetPos)) {
      const day = Math.floor(wall / DAY_MS)
      if (day < from) continue
      if (day > LAST_DAY) return
      yield wall
      horizon = Math.min(day + patience, LAST_DAY)
    }
  }

  function* wallsOf(first: DayNumber, last: DayNumber): Generator<WallMs> {
    for (let day = findDay(first, last); day !== undefined; day = findDay(day + 1, last)) {
      for (const time of times) yield day * DAY_MS + time
    }
  }
}

/** Every INTERVAL-th hour on the wall: an interval that divides 24 has the same hours each day. */
function* hourlyWalls(
  rule: RecurrenceRule,
  findDay: DayFinder,
  start: WallMs,
  from: DayNumber,
): Generator<WallMs> {
  const origin = Math.floor(start / HOUR_MS)
  const times = timesInHour(rule, start - origin * HOUR_MS)
  const patience = CYCLE_DAYS + rule.interval
  let horizon = Math.min(from + patience, LAST_DAY)
  for (let day = findDay(from, horizon); day !== undefined; day = findDay(day + 1, horizon)) {
    const behind = (origin - day * 24) % rule.interval
    const first = behind < 0 ? behind + rule.interval : behind
    for (let hour = first; hour < 24; hour += rule.interval) {
      if (rule.byHour && !rule.byHour.includes(hour)) continue
      const walls = times.map((time) => day * DAY_MS + hour * HOUR_MS + time)
      yield* atPositions(walls, rule.bySetPos)
      horizon = Math.min(day + patience, LAST_DAY)
    }
  }
}

/** The periods of each frequency, numbered without gaps; `wkst` is the weekday (0 is Monday) that weeks begin with. */
const PERIODS = {
  DAILY: {
    indexOf: (day: DayNumber) => day,
    firstDay: (index: number) => index,
  },
  WEEKLY: {
    indexOf: (day: DayNumber, wkst: number) => Math.floor((day - wkst - MONDAY) / 7),
    firstDay: (index: number, wkst: number) => index * 7 + wkst + MONDAY,
  },
  MONTHLY: {
    indexOf: (day: DayNumber) => {
      const date = new Date(day * DAY_MS)
      return date.getUTCFullYear() * 12 + date.getUTCMonth()
    },
    firstDay: (index: number) => dayNumber(0, index + 1, 1),
  },
  YEARLY: {
    indexOf: (day: DayNumber) => new Date(day * DAY_MS).getUTCFullYear(),
    firstDay: (index: number) => dayNumber(index, 1, 1),
  },
} as const

/** Fills in what RFC 5545 §3.3.10 takes from DTSTART when no part names the days. */
function withDaysOfStart(rule: RecurrenceRule, startDay: DayNumber): RecurrenceRule {
  if (rule.byDay || rule.byMonthDay || rule.freq === 'DAILY' || rule.freq === 'HOURLY') return rule
  if (rule.freq === 'WEEKLY') return { ...rule, byDay: [WEEKDAYS[weekdayOf(startDay)] as Weekday] }
  const date = new Date(startDay * DAY_MS)
  const byMonthDay = [date.getUTCDate()]
  if (rule.freq === 'MONTHLY') return { ...rule, byMonthDay }
  return { ...rule, byMonth: rule.byMonth ?? [date.getUTCMonth() + 1], byMonthDay }
}

function atPositions(walls: Iterable<WallMs>, positions: readonly number[] | undefined): Iterable<WallMs> {
  if (!positions) return walls
  const all = [...walls]
  return all.filter((_, index) => positions.includes(index + 1) || positions.includes(index - all.length))
}
