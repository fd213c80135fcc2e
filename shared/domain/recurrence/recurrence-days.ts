import * as rruleModule from 'rrule'
import { DAY_MS } from '../durations.ts'
import { createLru } from '../lru.ts'
import { splitByDay, WEEKDAYS, type MonthEnd, type RecurrenceRule } from './recurrence-rule.ts'

// The package is CommonJS with an ESM `module` field: Node hands out `default`, a browser bundle the names themselves.
const { RRule, Weekday } = (rruleModule as unknown as { default?: typeof rruleModule }).default ?? rruleModule

/** Whole days since 1970-01-01. */
export type DayNumber = number

const ALL_MONTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

/** Day number of a civil date; month and day count from 1. */
export function dayNumber(year: number, month: number, day: number): DayNumber {
  return new Date(0).setUTCFullYear(year, month - 1, day) / DAY_MS
}

/** 0 is Monday. */
export function weekdayOf(day: DayNumber): number {
  return (((day + 3) % 7) + 7) % 7
}

export type DayFinder = (from: DayNumber, through: DayNumber) => DayNumber | undefined

/**
 * Finds days that match BYMONTH, BYMONTHDAY and BYDAY. The rule must name its days: what RFC 5545 takes from DTSTART has to
 * be filled in before.
 *
 * rrule works this out, a year at a time: there are only 14 different years, and an interval of 10,000 years ends its
 * loop after one round, so no rule, however hostile, can keep it busy. What it does wrong (BYSETPOS, zones, UNTIL) it is never asked.
 */
export function dayFinder(rule: RecurrenceRule, monthEnd: MonthEnd): DayFinder {
  const kinds = kindsOf(rule, monthEnd)
  let year = yearAt(0)
  return (from, through) => {
    if (from < year.first || from >= year.end) year = yearAt(from)
    let offset = year.days.indexOf(1, from - year.first)
    while (offset < 0 && year.end <= through) {
      year = yearAt(year.end)
      offset = year.days.indexOf(1)
    }
    return offset >= 0 && year.first + offset <= through ? year.first + offset : undefined
  }

  function yearAt(day: DayNumber): { first: DayNumber; end: DayNumber; days: Uint8Array } {
    const number = new Date(day * DAY_MS).getUTCFullYear()
    const first = dayNumber(number, 1, 1)
    const end = dayNumber(number + 1, 1, 1)
    const kind = weekdayOf(first) + (end - first === 366 ? 7 : 0)
    return { first, end, days: (kinds[kind] ??= matchingDays(rule, monthEnd, number)) }
  }
}

/** For each of the 14 kinds of year: 1 for each day, counted from 1 January, that matches. */
type YearKinds = (Uint8Array | undefined)[]

const remembered = createLru<YearKinds>(500)

function kindsOf(rule: RecurrenceRule, monthEnd: MonthEnd): YearKinds {
  const key = [rule.freq, rule.byMonth, rule.byMonthDay, rule.byDay, monthEnd].join(';')
  const known = remembered.get(key)
  if (known) return known
  const fresh: YearKinds = []
  remembered.set(key, fresh)
  return fresh
}

function matchingDays(rule: RecurrenceRule, monthEnd: MonthEnd, year: number): Uint8Array {
  // The calendar repeats every 400 years; these are years that rrule knows.
  const sample = 2000 + (((year % 400) + 400) % 400)
  const newYear = dayNumber(sample, 1, 1)
  const isNumbered = rule.byDay?.some((day) => splitByDay(day).nth !== 0)
  const months = rule.byMonth ?? (isNumbered && rule.freq === 'MONTHLY' ? ALL_MONTHS : null)
  const clamped = monthEnd === 'clamp' && rule.byMonthDay?.some((day) => day > 28)
  const yearDays = clamped ? clampedYearDays(rule, sample) : null
  const days = new Uint8Array(366)
  const calendar = new RRule(
    {
      freq: RRule.YEARLY,
      interval: 10_000,
      dtstart: new Date(newYear * DAY_MS),
      bymonth: months ? [...months] : null,
      bymonthday: rule.byMonthDay && !clamped ? [...rule.byMonthDay] : null,
      byyearday: yearDays,
      byweekday: weekdaysFor(rule, months !== null),
    },
    true,
  )
  for (const date of calendar.all()) days[date.getTime() / DAY_MS - newYear] = 1
  return days
}

/** rrule keeps a day only if it matches the plain *and* the numbered weekdays, so a mixture becomes all numbered. */
function weekdaysFor(rule: RecurrenceRule, isWithinMonth: boolean): InstanceType<typeof Weekday>[] {
  const days = (rule.byDay ?? WEEKDAYS).map(splitByDay)
  if (days.every(({ nth }) => nth === 0)) return days.map(({ weekday }) => new Weekday(weekday))
  const numbers = Array.from({ length: isWithinMonth ? 5 : 53 }, (_, index) => index + 1)
  return days.flatMap(({ nth, weekday }) =>
    (nth === 0 ? numbers : [nth]).map((number) => new Weekday(weekday, number)),
  )
}

/** BYMONTH and BYMONTHDAY as days of the year (from 1), with the days a month lacks moved to its last. */
function clampedYearDays(rule: RecurrenceRule, year: number): number[] {
  return (rule.byMonth ?? ALL_MONTHS).flatMap((month) => {
    const length = dayNumber(year, month + 1, 1) - dayNumber(year, month, 1)
    const before = dayNumber(year, month, 1) - dayNumber(year, 1, 1)
    const inMonth = (rule.byMonthDay ?? []).map((day) => (day > 0 ? Math.min(day, length) : length + 1 + day))
    return inMonth.filter((day) => day > 0).map((day) => before + day)
  })
}
