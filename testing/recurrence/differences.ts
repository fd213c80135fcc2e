import { instantToWall } from '../../shared/domain/recurrence/wall-clock.ts'
import type { Answer } from './engines.ts'
import type { RuleCase } from './rules.ts'

export type Engine = 'python-dateutil' | 'rrule-temporal' | 'rrule'

/** Where another engine differs from Daybook's, and what is right. */
export interface Difference {
  id: string
  engine: Engine
  why: string
  /** Told from the rule where that is enough, else from both answers. */
  applies: (given: RuleCase, ours: Answer, theirs: Answer) => boolean
  /** `right` in local time, as far as the example goes. */
  example: { given: RuleCase; right: readonly string[] }
}

const inZone = (timeZone: string, rule: string, start: string): RuleCase => ({
  rule,
  start,
  timeZone,
  monthEnd: 'skip',
})
const inUtc = (rule: string, start: string): RuleCase => ({ rule, start, timeZone: 'UTC', monthEnd: 'skip' })
const isYearlyNumbered = (rule: string) => rule.includes('FREQ=YEARLY') && /BYDAY=[^;]*\d/.test(rule)
/** Plain weekdays beside numbered ones. */
export const isMixed = (rule: string) => {
  const days = /BYDAY=([^;]*)/.exec(rule)?.[1]?.split(',') ?? []
  return days.some((day) => /\d/.test(day)) && days.some((day) => !/\d/.test(day))
}

const HOUR_MS = 3_600_000
const wallOf = (instant: number, timeZone: string) => instantToWall(new Date(instant), timeZone)

/** Whether the clocks were put forward in the hours before, so that the time may be one that they left out. */
function isAfterGap(instant: number, timeZone: string): boolean {
  const hours = timeZone === 'Pacific/Apia' ? 25 : 3
  const before = Date.parse(`${wallOf(instant - hours * HOUR_MS, timeZone)}Z`)
  return Date.parse(`${wallOf(instant, timeZone)}Z`) - before > hours * HOUR_MS
}

const touchesGap = ({ timeZone }: RuleCase, ...answers: Answer[]): boolean =>
  answers.some(({ found }) => found.some((instant) => isAfterGap(instant, timeZone)))

/** A set of which a gap may leave out one has other positions. */
const isAtNight = ({ rule, start }: RuleCase): boolean =>
  rule.includes('BYHOUR') || /T(0[0-3]|23)/.test(start)

/**
 * The same local times, up to where the shorter answer ends. In Morocco, whose summer time is decided anew so often, one
 * release has gaps at other times than another.
 */
function sameWalls({ timeZone }: RuleCase, ours: Answer, { walls = [] }: Answer): boolean {
  const tolerance = timeZone === 'Africa/Casablanca' ? HOUR_MS : 0
  const distance = (wall: string, own: number | undefined) =>
    own === undefined ? 0 : Math.abs(Date.parse(`${wall}Z`) - Date.parse(`${wallOf(own, timeZone)}Z`))
  return walls.length > 0 && walls.every((wall, index) => distance(wall, ours.found[index]) <= tolerance)
}

export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'zone-data',
    engine: 'python-dateutil',
    why: 'the same local times; the two have different releases of the time zone database',
    applies: sameWalls,
    example: {
      given: inZone('Africa/Casablanca', 'FREQ=YEARLY;COUNT=1', '2029-08-03T09:00:00'),
      right: ['2029-08-03T09:00'],
    },
  },
  {
    id: 'mixed-days',
    engine: 'python-dateutil',
    why: 'takes plain weekdays beside numbered ones for a condition, not for more days',
    applies: ({ rule }) => isMixed(rule),
    example: {
      given: inUtc('FREQ=MONTHLY;BYDAY=SA,3FR;COUNT=3', '2026-05-10T09:00:00'),
      right: ['2026-05-15T09:00', '2026-05-16T09:00', '2026-05-23T09:00'],
    },
  },
  {
    id: 'first-week',
    engine: 'python-dateutil',
    why: 'counts BYSETPOS of the first week from the start, not from the beginning of the week',
    applies: ({ rule }) => rule.includes('FREQ=WEEKLY') && rule.includes('BYSETPOS'),
    example: {
      given: inUtc('FREQ=WEEKLY;BYDAY=MO,WE,SA;BYSETPOS=3;COUNT=2', '2010-12-07T09:00:00'),
      right: ['2010-12-11T09:00', '2010-12-18T09:00'],
    },
  },
  {
    id: 'yearly-mixed-days',
    engine: 'rrule-temporal',
    why: 'forgets the plain days of a yearly BYDAY that has numbered ones too',
    applies: ({ rule }) => isYearlyNumbered(rule) && isMixed(rule),
    example: {
      given: inUtc('FREQ=YEARLY;BYDAY=MO,20FR;COUNT=3', '2026-05-04T09:00:00'),
      right: ['2026-05-04T09:00', '2026-05-11T09:00', '2026-05-15T09:00'],
    },
  },
  {
    id: 'yearly-numbered-month-day',
    engine: 'rrule-temporal',
    why: 'ignores BYMONTHDAY beside a numbered yearly BYDAY',
    applies: ({ rule }) => isYearlyNumbered(rule) && rule.includes('BYMONTHDAY'),
    example: {
      given: inUtc('FREQ=YEARLY;BYDAY=20MO;BYMONTHDAY=18;COUNT=2', '2026-01-01T09:00:00'),
      right: ['2026-05-18T09:00', '2037-05-18T09:00'],
    },
  },
  {
    id: 'yearly-53rd',
    engine: 'rrule-temporal',
    why: 'puts a 53rd weekday that a year lacks into the next year',
    applies: ({ rule }) => isYearlyNumbered(rule) && /[=,]-?53/.test(rule),
    example: {
      given: inUtc('FREQ=YEARLY;BYDAY=53FR;COUNT=2', '2017-01-01T09:00:00'),
      right: ['2021-12-31T09:00', '2027-12-31T09:00'],
    },
  },
  {
    id: 'gap-left-out',
    engine: 'rrule-temporal',
    why: 'leaves out a time that a spring gap leaves out; a reminder must not be lost',
    applies: (given, ours, theirs) =>
      touchesGap(given, ours, theirs) || (given.rule.includes('BYSETPOS') && isAtNight(given)),
    example: {
      given: inZone('Europe/Berlin', 'FREQ=DAILY;COUNT=2', '2026-03-28T02:30:00'),
      right: ['2026-03-28T02:30', '2026-03-29T03:30'],
    },
  },
  {
    id: 'hours-elapsed',
    engine: 'rrule-temporal',
    why: 'counts hours that pass, so that the hours of the day change with the clocks',
    applies: ({ rule, timeZone }) => rule.includes('FREQ=HOURLY') && timeZone !== 'UTC',
    example: {
      given: inZone('Europe/Berlin', 'FREQ=HOURLY;INTERVAL=12;COUNT=4', '2026-03-28T09:00:00'),
      right: ['2026-03-28T09:00', '2026-03-28T21:00', '2026-03-29T09:00', '2026-03-29T21:00'],
    },
  },
  {
    id: 'ramadan',
    engine: 'rrule-temporal',
    why: 'does not see the weeks of Ramadan in which summer time was interrupted',
    applies: ({ timeZone }, ours, theirs) =>
      ['Africa/Cairo', 'Africa/Casablanca'].includes(timeZone) &&
      theirs.found.every((at, index) => Math.abs(at - (ours.found[index] ?? at)) <= HOUR_MS),
    example: {
      given: inZone(
        'Africa/Casablanca',
        'FREQ=MONTHLY;INTERVAL=9;BYMONTHDAY=30;COUNT=2',
        '2011-10-30T02:15:00',
      ),
      right: ['2011-10-30T02:15', '2012-07-30T02:15'],
    },
  },
  {
    id: 'rrule-positions',
    engine: 'rrule',
    why: 'has wrong or doubled places with BYSETPOS: Daybook counts positions itself',
    applies: ({ rule }) => rule.includes('BYSETPOS'),
    example: {
      given: inUtc('FREQ=DAILY;INTERVAL=9;BYMONTH=6;BYSETPOS=1,-1;COUNT=2', '2018-06-06T02:30:00'),
      right: ['2018-06-06T02:30', '2018-06-15T02:30'],
    },
  },
]
