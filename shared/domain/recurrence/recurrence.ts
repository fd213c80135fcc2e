import { DAY_MS } from '../durations.ts'
import { ruleWalls } from './recurrence-periods.ts'
import type { MonthEnd, RecurrenceRule } from './recurrence-rule.ts'
import { isSeveralADay, wallTimes, withTimesOf } from './recurrence-times.ts'
import {
  civilDate,
  instantToWall,
  lastSecondOfDay,
  wallMs,
  wallMsToInstant,
  wallToInstant,
} from './wall-clock.ts'

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
  const limit = Math.min(options.limit, MAX_OCCURRENCES)
  return between(pattern, options.after?.getTime() ?? -Infinity, Infinity, limit)
}

/** The first instant, or null when the rule never happens (30 February, UNTIL before DTSTART). */
export function firstOccurrence(pattern: RecurrencePattern): Date | null {
  return occurrences(pattern, { limit: 1 })[0] ?? null
}

export function nextOccurrence(pattern: RecurrencePattern, after: Date): Date | null {
  return occurrences(pattern, { after, limit: 1 })[0] ?? null
}

/** Instants later than `after` and not later than `through`: the latest `limit` of them, ascending. */
export function latestBetween(pattern: RecurrencePattern, after: Date, through: Date, limit: number): Date[] {
  const end = through.getTime()
  // COUNT is counted from the beginning anyway; else the search goes back no further than it needs to.
  for (let days = pattern.rule.count ? Infinity : SHORT_DAYS; ; days *= 2) {
    const from = Math.max(after.getTime(), end - days * DAY_MS)
    const found = between(pattern, from, end, Infinity)
    if (from === after.getTime() || found.length >= limit) return found.slice(-limit)
  }
}

/** A rule of the most occurrences a day has a thousand in so many days. */
const SHORT_DAYS = 21

/**
 * For a series that repeats from completion: the rule runs anew from the day of completion, at the series' time of day, or
 * from the minute of completion when it is counted in hours. COUNT is left to the caller, who knows how many there were.
 */
export function occurrenceAfterCompletion(pattern: RecurrencePattern, completedAt: Date): Date | null {
  const { timeZone } = pattern
  const { count: _count, ...rule } = pattern.rule
  if (rule.freq === 'HOURLY') {
    const start = new Date(Math.floor(completedAt.getTime() / 60_000) * 60_000)
    return nextOccurrence({ ...pattern, rule, start }, completedAt)
  }
  const [, time] = instantToWall(pattern.start, timeZone).split('T')
  const timed = withTimesOf(rule, time!)
  // One of several times a day does not stand for the day: the next of them may follow.
  const ofDay = isSeveralADay(rule) ? '00:00' : wallTimes(timed)[0]!
  const seconds = time!.slice('HH:MM'.length)
  const start = wallToInstant(`${civilDate(completedAt, timeZone)}T${ofDay}${seconds}`, timeZone)
  const isLater = !isSeveralADay(rule) && start > completedAt
  return nextOccurrence({ ...pattern, rule: timed, start }, isLater ? start : completedAt)
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

export function untilText(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function between(pattern: RecurrencePattern, after: number, through: number, limit: number): Date[] {
  const found: Date[] = []
  if (limit < 1) return found
  for (const instant of recurrenceSet(pattern, after)) {
    if (instant > through || found.push(new Date(instant)) === limit) break
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
  const until = untilInstant(rule, timeZone)?.getTime() ?? Infinity
  // COUNT is counted from the beginning; without it, the search starts a day early because a gap moves times forward.
  const isCounted = rule.count !== undefined || after <= start.getTime()
  const startDay = Math.floor(wallMs(start, timeZone) / DAY_MS)
  const from = isCounted ? startDay : Math.floor(wallMs(new Date(after), timeZone) / DAY_MS) - 1
  let counted = 0
  let previous = -Infinity
  for (const instant of instantsInOrder(pattern, Math.max(from, startDay))) {
    if (instant > until) return
    // A zone that leaves out a whole day (Pacific/Apia, 30 December 2011) maps two days to one instant.
    if (instant === previous || instant < start.getTime()) continue
    previous = instant
    counted += 1
    if (instant > after) yield instant
    if (counted === rule.count) return
  }
}

function* instantsInOrder(
  { rule, start, timeZone, monthEnd }: RecurrencePattern,
  from: number,
): Generator<number> {
  const wallStart = wallMs(start, timeZone)
  const isDense = isSeveralADay(rule)
  // A time in a spring gap moves past those that follow it on the wall.
  let moved: number[] = []
  for (const wall of ruleWalls(rule, monthEnd, wallStart, from)) {
    const instant = instantAt(wall)
    if (isDense && wallMs(new Date(instant), timeZone) !== wall) {
      moved.push(instant)
      continue
    }
    if (moved.length > 0) {
      yield* moved.filter((one) => one < instant).toSorted((a, b) => a - b)
      moved = moved.filter((one) => one > instant)
    }
    yield instant
  }
  yield* moved.toSorted((a, b) => a - b)

  function instantAt(wall: number): number {
    // DTSTART itself may be the second of a time that comes twice.
    if (wall === wallStart) return start.getTime()
    return wallMsToInstant(wall, timeZone).getTime()
  }
}
