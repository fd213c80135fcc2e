import { MS_PER_DAY } from './recurrence-days.ts'
import { ruleDays } from './recurrence-periods.ts'
import type { MonthEnd, RecurrenceRule } from './recurrence-rule.ts'
import { civilDate, instantToWall, lastSecondOfDay, wallToInstant } from './wall-clock.ts'

export type { MonthEnd }

export interface RecurrencePattern {
  rule: RecurrenceRule
  /** DTSTART: gives the time of day, the days the rule leaves open, and where intervals are counted from. */
  start: Date
  timeZone: string
  monthEnd: MonthEnd
  exdates: readonly Date[]
  rdates: readonly Date[]
}

/** No call returns more than this many instants. */
export const MAX_OCCURRENCES = 1000

/** Ascending distinct instants strictly after `after` (from the first when absent), at most `limit`. */
export function occurrences(pattern: RecurrencePattern, options: { after?: Date; limit: number }): Date[] {
  return take(pattern, options.after?.getTime() ?? -Infinity, Infinity, options.limit)
}

/** The first instant, or null when the rule never happens (30 February, UNTIL before DTSTART). */
export function firstOccurrence(pattern: RecurrencePattern): Date | null {
  return occurrences(pattern, { limit: 1 })[0] ?? null
}

/** The first instant strictly after `after`, or null when the series has run out. */
export function nextOccurrence(pattern: RecurrencePattern, after: Date): Date | null {
  return occurrences(pattern, { after, limit: 1 })[0] ?? null
}

/** Instants later than `after` and not later than `through`: the earliest `limit` of them. */
export function occurrencesBetween(
  pattern: RecurrencePattern,
  after: Date,
  through: Date,
  limit: number,
): Date[] {
  return take(pattern, after.getTime(), through.getTime(), limit)
}

/**
 * For a series that repeats from completion: the rule runs anew from the day of completion, at the series' time of day.
 * COUNT is left to the caller, who knows how many there were.
 */
export function occurrenceAfterCompletion(pattern: RecurrencePattern, completedAt: Date): Date | null {
  const { count: _count, ...rule } = pattern.rule
  const [, time] = instantToWall(pattern.start, pattern.timeZone).split('T')
  const start = wallToInstant(`${civilDate(completedAt, pattern.timeZone)}T${time}`, pattern.timeZone)
  return nextOccurrence({ ...pattern, rule, start }, completedAt > start ? completedAt : start)
}

/** The instant of UNTIL in a zone, inclusive: a local time is read there, a date is the end of that day. Null without UNTIL. */
export function untilInstant(rule: RecurrenceRule, timeZone: string): Date | null {
  const [, year, month, day, time, utc] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d{6})(Z?))?$/.exec(rule.until ?? '') ?? []
  const date = `${year}-${month}-${day}`
  if (day === undefined) return null
  if (time === undefined) return lastSecondOfDay(date, timeZone)
  const wall = `${date}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}`
  return utc ? new Date(`${wall}Z`) : wallToInstant(wall, timeZone)
}

/** An instant as UNTIL text; fractions of a second are dropped. */
export function untilText(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function take(pattern: RecurrencePattern, after: number, through: number, limit: number): Date[] {
  const atMost = Math.min(limit, MAX_OCCURRENCES)
  const found: Date[] = []
  if (atMost < 1) return found
  for (const instant of recurrenceSet(pattern, after)) {
    if (instant > through || found.push(new Date(instant)) === atMost) break
  }
  return found
}

/** RRULE and RDATE merged, EXDATE taken out, in ascending order, each instant once. */
function* recurrenceSet(pattern: RecurrencePattern, after: number): Generator<number> {
  const excluded = new Set(pattern.exdates.map(Number))
  const added = [...new Set(pattern.rdates.map(Number))]
    .filter((instant) => instant > after)
    .toSorted((a, b) => a - b)
  for (const instant of ruleInstants(pattern, after)) {
    while (added[0] !== undefined && added[0] <= instant) {
      const extra = added.shift()
      if (extra !== undefined && extra !== instant && !excluded.has(extra)) yield extra
    }
    if (!excluded.has(instant)) yield instant
  }
  for (const extra of added) if (!excluded.has(extra)) yield extra
}

/** Instants of the rule alone after `after`. COUNT and UNTIL end it; both look at instants, after the zone is applied. */
function* ruleInstants(pattern: RecurrencePattern, after: number): Generator<number> {
  const { rule, start, timeZone } = pattern
  const wallStart = Date.parse(`${instantToWall(start, timeZone)}Z`)
  const startDay = Math.floor(wallStart / MS_PER_DAY)
  const timeOfDay = wallStart - startDay * MS_PER_DAY
  const until = untilInstant(rule, timeZone)?.getTime() ?? Infinity
  // COUNT is counted from the beginning; without it, the search starts a day early because a gap moves times forward.
  const isCounted = rule.count !== undefined || after <= start.getTime()
  const from = isCounted
    ? startDay
    : Math.floor(Date.parse(`${instantToWall(new Date(after), timeZone)}Z`) / MS_PER_DAY) - 1
  let counted = 0
  let previous = -Infinity
  for (const day of ruleDays(rule, pattern.monthEnd, startDay, Math.max(from, startDay))) {
    const wall = new Date(day * MS_PER_DAY + timeOfDay).toISOString().slice(0, -1)
    // DTSTART itself may be the second of a time that comes twice.
    const instant = day === startDay ? start.getTime() : wallToInstant(wall, timeZone).getTime()
    if (instant > until) return
    // A zone that leaves out a whole day (Pacific/Apia, 30 December 2011) maps two days to one instant.
    if (instant === previous) continue
    previous = instant
    counted += 1
    if (instant > after) yield instant
    if (counted === rule.count) return
  }
}
