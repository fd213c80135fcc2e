import * as fc from 'fast-check'
import { RRuleTemporal } from 'rrule-temporal'
import { describe, expect, it } from 'vitest'
import { formatRule, parseRule, WEEKDAYS, type Frequency, type MonthEnd } from './recurrence-rule.ts'
import { occurrences, occurrencesBetween, type RecurrencePattern } from './recurrence.ts'
import { civilDate, wallToInstant } from './wall-clock.ts'

const SEED = 5545
const LIMIT = 20

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Santiago',
  'America/Havana',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
]

const pad = (number: number) => String(number).padStart(2, '0')
const listOf = <T>(item: fc.Arbitrary<T>, maxLength = 4) =>
  fc.uniqueArray(item, { minLength: 1, maxLength }).map((items) => items.join())
const signed = (highest: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: highest }) },
    fc.integer({ min: -highest, max: -1 }),
  )
const weekday = fc.constantFrom(...WEEKDAYS)

function byDay(freq: Frequency, highest: number): fc.Arbitrary<string> {
  if (freq === 'DAILY' || freq === 'WEEKLY') return listOf(weekday)
  const numbered = fc.tuple(signed(highest), weekday).map(([nth, day]) => `${nth}${day}`)
  return listOf(fc.oneof({ weight: 2, arbitrary: weekday }, numbered))
}

const anyRule = fc.constantFrom<Frequency>('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY').chain((freq) => {
  const month = fc.option(listOf(fc.integer({ min: 1, max: 12 })), { freq: 2, nil: undefined })
  return month.chain((byMonth) => {
    const nthHighest = freq === 'YEARLY' && byMonth === undefined ? 53 : 5
    const positions = { DAILY: 1, WEEKLY: 4, MONTHLY: 6, YEARLY: 12 }[freq]
    const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 1, nil: undefined })
    return fc
      .record({
        INTERVAL: sometimes(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 40 }))),
        BYMONTHDAY: freq === 'WEEKLY' ? fc.constant(undefined) : sometimes(listOf(signed(31))),
        BYDAY: sometimes(byDay(freq, nthHighest)),
        BYSETPOS: sometimes(listOf(signed(positions), 2)),
        WKST: sometimes(weekday),
        end: fc.oneof(
          fc.constant(undefined),
          fc.integer({ min: 1, max: 30 }).map((count) => `COUNT=${count}`),
          fc
            .tuple(
              fc.integer({ min: 2020, max: 2035 }),
              fc.integer({ min: 1, max: 12 }),
              fc.integer({ min: 0, max: 23 }),
            )
            .map(([year, inMonth, hour]) => `UNTIL=${year}${pad(inMonth)}15T${pad(hour)}0000Z`),
        ),
      })
      .map(({ end, ...parts }) => {
        const named: Record<string, string | number | undefined> = { FREQ: freq, BYMONTH: byMonth, ...parts }
        if (!byMonth && !parts.BYDAY && !parts.BYMONTHDAY) delete named.BYSETPOS
        const texts = Object.entries(named).flatMap(([name, value]) =>
          value === undefined ? [] : `${name}=${value}`,
        )
        return [...texts, ...(end ? [end] : [])].join(';')
      })
  })
})

/** Local starts outside the hours in which clocks change: what Daybook does there differs from rrule-temporal by design. */
const anyStart = fc
  .record({
    year: fc.integer({ min: 2005, max: 2030 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
    time: fc.constantFrom('05:15:00', '09:00:00', '12:30:00', '18:00:00'),
  })
  .map(({ year, month, day, time }) => `${year}-${pad(month)}-${pad(day)}T${time}`)

const anyZone = fc.constantFrom(...ZONES)

function pattern(
  rule: string,
  start: string,
  timeZone: string,
  monthEnd: MonthEnd = 'skip',
): RecurrencePattern {
  const { rule: parsed } = parseRule(rule)
  return { rule: parsed, start: wallToInstant(start, timeZone), timeZone, monthEnd, exdates: [], rdates: [] }
}

/** The first instants by rrule-temporal; `gaveUp` when it stopped searching (it throws after so many empty periods). */
function byRRuleTemporal(
  rule: string,
  start: string,
  timeZone: string,
): { found: number[]; gaveUp: boolean } {
  const dtstart = start.replaceAll(/[-:]/g, '')
  const found: number[] = []
  const options = { rruleString: `DTSTART;TZID=${timeZone}:${dtstart}\nRRULE:${rule}`, maxIterations: 100 }
  try {
    new RRuleTemporal(options).all((date) => found.push(date.epochMilliseconds) < LIMIT)
    return { found: found.slice(0, LIMIT), gaveUp: false }
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Maximum iterations')) throw error
    return { found, gaveUp: true }
  }
}

/** Every rule for which rrule-temporal 2.2.7 and Daybook are known to differ, with an example of the right answer. */
const KNOWN_DIFFERENCES: readonly {
  why: string
  applies: (rule: string) => boolean
  example: { rule: string; start: string; timeZone: string; right: readonly string[] }
}[] = [
  {
    why: 'rrule-temporal forgets the plain days of a yearly BYDAY that has numbered ones too',
    applies: (rule) =>
      isYearlyNumbered(rule) && /[=,](MO|TU|WE|TH|FR|SA|SU)/.test(rule.replace(/WKST=../, '')),
    example: {
      rule: 'FREQ=YEARLY;BYDAY=MO,20FR;COUNT=3',
      start: '2026-05-04T09:00:00',
      timeZone: 'UTC',
      right: ['2026-05-04', '2026-05-11', '2026-05-15'],
    },
  },
  {
    why: 'rrule-temporal ignores BYMONTHDAY beside a numbered yearly BYDAY',
    applies: (rule) => isYearlyNumbered(rule) && rule.includes('BYMONTHDAY'),
    example: {
      rule: 'FREQ=YEARLY;BYDAY=20MO;BYMONTHDAY=18;COUNT=2',
      start: '2026-01-01T09:00:00',
      timeZone: 'UTC',
      right: ['2026-05-18', '2037-05-18'],
    },
  },
  {
    why: 'rrule-temporal puts a 53rd weekday that a year lacks into the next year',
    applies: (rule) => isYearlyNumbered(rule) && /[=,]-?53/.test(rule),
    example: {
      rule: 'FREQ=YEARLY;BYDAY=53FR;COUNT=2',
      start: '2017-01-01T09:00:00',
      timeZone: 'UTC',
      right: ['2021-12-31', '2027-12-31'],
    },
  },
  {
    why: 'rrule-temporal leaves out a time in a spring gap, a reminder must not be lost',
    applies: () => false,
    example: {
      rule: 'FREQ=DAILY;COUNT=2',
      start: '2026-03-28T02:30:00',
      timeZone: 'Europe/Berlin',
      right: ['2026-03-28', '2026-03-29'],
    },
  },
]

function isYearlyNumbered(rule: string): boolean {
  return rule.includes('FREQ=YEARLY') && /BYDAY=[^;]*\d/.test(rule)
}

describe('the recurrence engine and rrule-temporal', () => {
  it('agree on generated rules in many zones', () => {
    let compared = 0
    fc.assert(
      fc.property(anyRule, anyStart, anyZone, (text, start, timeZone) => {
        const rule = formatRule(parseRule(text).rule)
        fc.pre(!KNOWN_DIFFERENCES.some(({ applies }) => applies(rule)))
        const { found, gaveUp } = byRRuleTemporal(rule, start, timeZone)
        const ours = occurrences(pattern(rule, start, timeZone), { limit: LIMIT }).map(Number)
        expect(gaveUp ? ours.slice(0, found.length) : ours).toEqual(found)
        if (!gaveUp) compared += 1
      }),
      { seed: SEED, numRuns: 600 },
    )
    expect(compared).toBeGreaterThan(400)
  })

  // SKIP=BACKWARD of RFC 7529 is our clamp; rrule-temporal applies it to the day of DTSTART, not to every BYMONTHDAY.
  it('agree on the end of short months', () => {
    const freq = fc.constantFrom('FREQ=MONTHLY', 'FREQ=YEARLY')
    const interval = fc.integer({ min: 1, max: 14 })
    const date = fc.constantFrom('2024-02-29', '2026-01-29', '2026-01-30', '2025-12-31', '2026-08-31')
    fc.assert(
      fc.property(freq, interval, date, anyZone, (base, n, day, timeZone) => {
        const rule = `${base};INTERVAL=${n}`
        const start = `${day}T09:00:00`
        const { found } = byRRuleTemporal(`${rule};RSCALE=GREGORIAN;SKIP=BACKWARD`, start, timeZone)
        const ours = occurrences(pattern(rule, start, timeZone, 'clamp'), { limit: LIMIT })
        expect(ours.map(Number)).toEqual(found)
      }),
      { seed: SEED, numRuns: 100 },
    )
  })

  it.each(KNOWN_DIFFERENCES)('differ because $why', ({ example }) => {
    const { rule, start, timeZone, right } = example
    const ours = occurrences(pattern(rule, start, timeZone), { limit: LIMIT })
    expect(ours.map((instant) => civilDate(instant, timeZone))).toEqual(right)
    expect(byRRuleTemporal(rule, start, timeZone).found).not.toEqual(ours.map(Number))
  })
})

describe('any rule', () => {
  it('is read back unchanged from its canonical text', () => {
    fc.assert(
      fc.property(anyRule, (text) => {
        const { rule } = parseRule(text)
        expect(parseRule(formatRule(rule)).rule).toEqual(rule)
        expect(parseRule(`rrule:${formatRule(rule).toLowerCase()}`).rule).toEqual(rule)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('gives ascending instants, all at the local time of day of the start', () => {
    fc.assert(
      fc.property(anyRule, anyStart, anyZone, (rule, start, timeZone) => {
        const found = occurrences(pattern(rule, start, timeZone), { limit: LIMIT })
        for (const [index, instant] of found.entries()) {
          expect(Number(instant)).toBeGreaterThan(Number(found[index - 1] ?? -Infinity))
          const local = `${civilDate(instant, timeZone)}T${start.slice(11)}`
          expect(wallToInstant(local, timeZone)).toEqual(instant)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  // Fast-forward must not lose the phase of INTERVAL, the position in a period, or the count.
  it('continues after any of its instants exactly as when listed from the start', () => {
    fc.assert(
      fc.property(
        anyRule,
        anyStart,
        anyZone,
        fc.nat({ max: LIMIT - 1 }),
        fc.constantFrom<MonthEnd>('clamp', 'skip'),
        (...args) => {
          const [rule, start, timeZone, position, monthEnd] = args
          const series = pattern(rule, start, timeZone, monthEnd)
          const all = occurrences(series, { limit: LIMIT })
          const at = all[position]
          if (!at) return
          const rest = all.slice(position + 1)
          const last = all.at(-1) as Date
          expect(occurrencesBetween(series, at, last, LIMIT)).toEqual(rest)
          expect(occurrencesBetween(series, new Date(at.getTime() - 1), last, LIMIT)).toEqual([at, ...rest])
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })
})
