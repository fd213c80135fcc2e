import * as rruleModule from 'rrule'
import { RRuleTemporal } from 'rrule-temporal'
import { formatRule, parseRule } from '../../shared/domain/recurrence/recurrence-rule.ts'
import { occurrences, type RecurrencePattern } from '../../shared/domain/recurrence/recurrence.ts'
import { instantToWall, wallToInstant } from '../../shared/domain/recurrence/wall-clock.ts'
import { withoutClamp, type RuleCase } from './rules.ts'

const { rrulestr } = (rruleModule as unknown as { default?: typeof rruleModule }).default ?? rruleModule

/** How many instants of a rule are compared, and how far into its future. */
export const LIMIT = 12
const YEARS = 30

/** Instants in ms; `gaveUp` when the engine stopped searching, so that more may follow. */
export interface Answer {
  found: number[]
  /** What the clocks show then, by the engine's own zone data. */
  walls?: string[]
  gaveUp: boolean
}

/** As a series would have it: the rule in canonical form, and a start that the clocks leave out as they then show it. */
export const asStored = (given: RuleCase): RuleCase => ({
  ...given,
  rule: formatRule(parseRule(given.rule).rule),
  start: instantToWall(wallToInstant(given.start, given.timeZone), given.timeZone).slice(0, 19),
})

const patternOf = ({ rule, start, timeZone, monthEnd }: RuleCase): RecurrencePattern => ({
  rule: parseRule(rule).rule,
  start: wallToInstant(start, timeZone),
  timeZone,
  monthEnd,
  exdates: [],
  rdates: [],
})

/** The last instant that is compared. */
export const throughOf = ({ start }: RuleCase): number =>
  Date.parse(`${Number(start.slice(0, 4)) + YEARS}${start.slice(4)}Z`)

export function byDaybook(given: RuleCase): Answer {
  const found = occurrences(patternOf(given), { limit: LIMIT }).map(Number)
  return { found: within(given, found), gaveUp: false }
}

/** Null for what it refuses: a rule in a zone whose UNTIL is not in UTC, as RFC 5545 demands. */
export function byRRuleTemporal(given: RuleCase, maxIterations = 100): Answer | null {
  const { start, timeZone } = given
  if (/UNTIL=[^;Z]*(;|$)/.test(given.rule)) return null
  const dtstart = start.replaceAll(/[-:]/g, '')
  const rruleString = `DTSTART;TZID=${timeZone}:${dtstart}\nRRULE:${withoutClamp(given)}`
  const found: number[] = []
  const through = throughOf(given)
  try {
    new RRuleTemporal({ rruleString, maxIterations }).all(
      ({ epochMilliseconds }) => epochMilliseconds <= through && found.push(epochMilliseconds) < LIMIT,
    )
    return { found: found.slice(0, LIMIT), gaveUp: false }
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Maximum iterations')) throw error
    return { found, gaveUp: true }
  }
}

/** rrule asked for the whole, not for the days of a year as the adapter does: in UTC, where it is at its best. */
export function byRRuleAlone(given: RuleCase): Answer {
  const start = new Date(`${given.start}Z`)
  const rule = withoutClamp(given).replace(/UNTIL=(\d{8})(?!T)/, 'UNTIL=$1T235959Z')
  const found: number[] = []
  rrulestr(`RRULE:${rule}`, { dtstart: start }).all((date) => found.push(date.getTime()) < LIMIT)
  return { found: within(given, found), gaveUp: false }
}

const within = (given: RuleCase, found: readonly number[]): number[] => {
  const through = throughOf(given)
  return found.filter((instant) => instant <= through)
}
