import { dayNumber, weekdayOf } from './recurrence-days.ts'
import { splitByDay, WEEKDAYS, type ByDay, type RecurrenceRule, type Weekday } from './recurrence-rule.ts'
import { firstOccurrence, type RecurrencePattern } from './recurrence.ts'
import { instantToWall, type WallTime } from './wall-clock.ts'

/**
 * The rule of a series that is moved to another start: where the old rule does not hit that, a single weekday, day of the month,
 * month, hour or minute that it names moves along. Null where that does not lead there.
 */
export function movedRule(moved: RecurrencePattern): RecurrenceRule | null {
  const wall = instantToWall(moved.start, moved.timeZone)
  return [moved.rule, movedParts(moved.rule, wall)].find((rule) => hitsStart({ ...moved, rule })) ?? null
}

function hitsStart(pattern: RecurrencePattern): boolean {
  const { count: _count, until: _until, ...rule } = pattern.rule
  const first = firstOccurrence({ ...pattern, rule, exdates: [], rdates: [] })
  return first?.getTime() === pattern.start.getTime()
}

function movedParts(rule: RecurrenceRule, wall: WallTime): RecurrenceRule {
  const month = Number(wall.slice(5, 7))
  return {
    ...rule,
    ...(rule.byMonth?.length === 1 && { byMonth: [month] }),
    ...(rule.byMonthDay?.length === 1 && { byMonthDay: [monthDayAt(wall, rule.byMonthDay[0]!)] }),
    ...(rule.byDay?.length === 1 && { byDay: [weekdayAt(wall, rule)] }),
    ...movedTimes(rule, wall),
  }
}

export const movedTimes = (rule: RecurrenceRule, wall: WallTime): Partial<RecurrenceRule> => ({
  ...(rule.byHour?.length === 1 && { byHour: [Number(wall.slice(11, 13))] }),
  ...(rule.byMinute?.length === 1 && { byMinute: [Number(wall.slice(14, 16))] }),
})

/** A day that months may lack is counted from their end, if the one before was. */
function monthDayAt(wall: WallTime, before: number): number {
  const [year, month, day] = dateOf(wall)
  return before < 0 && day > 28 ? day - lengthOf(year, month) - 1 : day
}

/** Numbered as the one before was: from the beginning or the end, of the month or the year. A fifth is the last. */
function weekdayAt(wall: WallTime, { freq, byMonth, byDay }: RecurrenceRule): ByDay {
  const [year, month, day] = dateOf(wall)
  const weekday = WEEKDAYS[weekdayOf(dayNumber(year, month, day))] as Weekday
  const { nth } = splitByDay(byDay![0]!)
  if (nth === 0) return weekday
  const isOfYear = freq === 'YEARLY' && !byMonth
  const first = isOfYear ? dayNumber(year, 1, 1) : dayNumber(year, month, 1)
  const end = isOfYear ? dayNumber(year + 1, 1, 1) : first + lengthOf(year, month)
  const at = dayNumber(year, month, day)
  const fromStart = Math.floor((at - first) / 7) + 1
  const fromEnd = -Math.floor((end - 1 - at) / 7) - 1
  return `${nth < 0 || fromStart === (isOfYear ? 53 : 5) ? fromEnd : fromStart}${weekday}`
}

const dateOf = (wall: WallTime): [year: number, month: number, day: number] =>
  wall.slice(0, 10).split('-').map(Number) as [number, number, number]

const lengthOf = (year: number, month: number): number =>
  dayNumber(year, month + 1, 1) - dayNumber(year, month, 1)
