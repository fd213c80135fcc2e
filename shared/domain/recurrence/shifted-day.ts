import type { Moment } from '../fields.ts'
import type { Task } from '../tasks/task.ts'
import type { RecurrenceRule } from './recurrence-rule.ts'
import type { RecurrencePattern } from './recurrence.ts'
import { wallTimes, withTimesOf } from './recurrence-times.ts'
import { instantToWall, wallToInstant } from './wall-clock.ts'

/**
 * What a series means where it stands on a shifted day: the time of day that the clocks leave out there (`HH:MM`), and the day
 * of the month that this month lacks. Null for what is not shifted.
 */
export interface Nominal {
  time: string | null
  monthDay: number | null
}

const NOTHING: Nominal = { time: null, monthDay: null }

export function nominalOf(
  asked: Moment | null | undefined,
  { dueAt, timeZone }: Pick<Task, 'dueAt' | 'timeZone'>,
): Nominal {
  if (typeof asked !== 'string' || !dueAt || instantToWall(dueAt, timeZone) === asked) return NOTHING
  return { ...NOTHING, time: asked.slice(11, 16) }
}

/** Reads it from the rule and the start; `at` is a hit of the rule. */
export function nominalAt(pattern: RecurrencePattern, at: Date): Nominal {
  const [startDate, startTime] = instantToWall(pattern.start, pattern.timeZone).split('T')
  const [date, time] = instantToWall(at, pattern.timeZone).split('T')
  const day = monthDayOf(pattern.rule, startDate!)
  const isClamped = pattern.monthEnd === 'clamp' && day !== null && day > Number(date!.slice(8))
  return {
    time:
      time === startTime
        ? null
        : skippedTime(pattern, { at, date: date!, time: time!, startTime: startTime! }),
    monthDay: isClamped ? day : null,
  }
}

function skippedTime(
  { rule, timeZone }: RecurrencePattern,
  { at, date, time, startTime }: { at: Date; date: string; time: string; startTime: string },
): string | null {
  if (rule.freq === 'HOURLY') return null
  const times = wallTimes(withTimesOf(rule, startTime))
  if (times.includes(time.slice(0, 5))) return null
  const seconds = time.slice(5)
  return (
    times.find((one) => Number(wallToInstant(`${date}T${one}${seconds}`, timeZone)) === Number(at)) ?? null
  )
}

/** The one day of the month that the rule names or leaves to the start. */
function monthDayOf(rule: RecurrenceRule, startDate: string): number | null {
  if (rule.byMonthDay) return rule.byMonthDay.length === 1 ? rule.byMonthDay[0]! : null
  return leavesMonthDay(rule) ? Number(startDate.slice(8)) : null
}

const leavesMonthDay = ({ freq, byDay, byMonthDay }: RecurrenceRule): boolean =>
  (freq === 'MONTHLY' || freq === 'YEARLY') && !byDay && !byMonthDay

/** The rule for a start on the shifted day, `date`: it says itself what that start cannot say. */
export function withNominal(rule: RecurrenceRule, { time, monthDay }: Nominal, date: string): RecurrenceRule {
  const leavesTime = rule.freq !== 'HOURLY' && !rule.byHour && !rule.byMinute
  const timed = time !== null && leavesTime ? withTimesOf(rule, time) : rule
  if (monthDay === null || !leavesMonthDay(rule)) return timed
  const byMonth = rule.freq === 'YEARLY' ? { byMonth: rule.byMonth ?? [Number(date.slice(5, 7))] } : {}
  return { ...timed, ...byMonth, byMonthDay: [monthDay] }
}
