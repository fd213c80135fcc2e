import { dayFinder, dayNumber, MS_PER_DAY, weekdayOf, type DayNumber } from './recurrence-days.ts'
import {
  LONGEST_PERIOD_DAYS,
  WEEKDAYS,
  type MonthEnd,
  type RecurrenceRule,
  type Weekday,
} from './recurrence-rule.ts'

/** 29 December 1969, a Monday. */
const MONDAY: DayNumber = -3
const LAST_DAY = dayNumber(9999, 12, 31)
/** The Gregorian calendar repeats after 400 years: a rule that finds nothing for so long (and one interval) is over. */
const CYCLE_DAYS = 146_097

/**
 * Ascending days of a rule from `from` on, without COUNT and UNTIL: the matching days of every INTERVAL-th period since DTSTART,
 * reduced by BYSETPOS. BYSETPOS sees the whole period, also the days before DTSTART. Ends with the year 9999.
 */
export function* ruleDays(
  openRule: RecurrenceRule,
  monthEnd: MonthEnd,
  startDay: DayNumber,
  from: DayNumber,
): Generator<DayNumber> {
  const rule = withDaysOfStart(openRule, startDay)
  const findDay = dayFinder(rule, monthEnd)
  const periods = PERIODS[rule.freq]
  const wkst = WEEKDAYS.indexOf(rule.wkst ?? 'MO')
  const origin = periods.indexOf(startDay, wkst)
  const patience = CYCLE_DAYS + rule.interval * LONGEST_PERIOD_DAYS[rule.freq]
  let horizon = Math.min(from + patience, LAST_DAY)
  let cursor = periods.firstDay(periods.indexOf(from, wkst), wkst)
  for (;;) {
    const candidate = findDay(cursor, horizon)
    if (candidate === undefined) return
    const steps = Math.ceil((periods.indexOf(candidate, wkst) - origin) / rule.interval)
    const index = origin + steps * rule.interval
    cursor = periods.firstDay(index + 1, wkst)
    for (const day of atPositions(daysOf(periods.firstDay(index, wkst), cursor - 1), rule.bySetPos)) {
      if (day < from) continue
      if (day > LAST_DAY) return
      yield day
      horizon = Math.min(day + patience, LAST_DAY)
    }
  }

  function daysOf(first: DayNumber, last: DayNumber): DayNumber[] {
    const days: DayNumber[] = []
    for (let day = findDay(first, last); day !== undefined; day = findDay(day + 1, last)) days.push(day)
    return days
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
      const date = new Date(day * MS_PER_DAY)
      return date.getUTCFullYear() * 12 + date.getUTCMonth()
    },
    firstDay: (index: number) => dayNumber(0, index + 1, 1),
  },
  YEARLY: {
    indexOf: (day: DayNumber) => new Date(day * MS_PER_DAY).getUTCFullYear(),
    firstDay: (index: number) => dayNumber(index, 1, 1),
  },
} as const

/** Fills in what RFC 5545 §3.3.10 takes from DTSTART when no part names the days. */
function withDaysOfStart(rule: RecurrenceRule, startDay: DayNumber): RecurrenceRule {
  if (rule.byDay || rule.byMonthDay || rule.freq === 'DAILY') return rule
  if (rule.freq === 'WEEKLY') return { ...rule, byDay: [WEEKDAYS[weekdayOf(startDay)] as Weekday] }
  const date = new Date(startDay * MS_PER_DAY)
  const byMonthDay = [date.getUTCDate()]
  if (rule.freq === 'MONTHLY') return { ...rule, byMonthDay }
  return { ...rule, byMonth: rule.byMonth ?? [date.getUTCMonth() + 1], byMonthDay }
}

function atPositions(
  days: readonly DayNumber[],
  positions: readonly number[] | undefined,
): readonly DayNumber[] {
  if (!positions) return days
  return days.filter((_, index) => positions.includes(index + 1) || positions.includes(index - days.length))
}
