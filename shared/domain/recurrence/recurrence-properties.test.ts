import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DIFFERENCES } from '../../../testing/recurrence/differences.ts'
import { asStored, byDaybook, byRRuleTemporal } from '../../../testing/recurrence/engines.ts'
import { anyCase, anyZone, dayRule, quietStart } from '../../../testing/recurrence/rules.ts'
import { formatRule, parseRule, type MonthEnd } from './recurrence-rule.ts'
import { latestBetween, occurrences, type RecurrencePattern } from './recurrence.ts'
import { civilDate, instantToWall, wallToInstant } from './wall-clock.ts'

const SEED = 5545
const LIMIT = 20
const DIFFERENT = DIFFERENCES.filter(({ engine }) => engine === 'rrule-temporal')

function pattern(
  rule: string,
  start: string,
  timeZone: string,
  monthEnd: MonthEnd = 'skip',
): RecurrencePattern {
  const { rule: parsed } = parseRule(rule)
  return { rule: parsed, start: wallToInstant(start, timeZone), timeZone, monthEnd, exdates: [], rdates: [] }
}

describe('the recurrence engine and rrule-temporal', () => {
  it('agree on generated rules in many zones', () => {
    let compared = 0
    fc.assert(
      fc.property(anyCase, (drawn) => {
        const given = asStored(drawn)
        const [ours, theirs] = [byDaybook(given), byRRuleTemporal(given, 50)]
        fc.pre(theirs !== null && !DIFFERENT.some(({ applies }) => applies(given, ours, theirs)))
        const { found, gaveUp } = theirs
        expect(gaveUp ? ours.found.slice(0, found.length) : ours.found).toEqual(found)
        if (!gaveUp) compared += 1
      }),
      { seed: SEED, numRuns: 200 },
    )
    expect(compared).toBeGreaterThan(90)
  })

  it.each(DIFFERENCES)('differ from $engine: $why', ({ applies, engine, example: { given, right } }) => {
    const ours = byDaybook(given)
    const first = ours.found.slice(0, right.length).map((at) => instantToWall(new Date(at), given.timeZone))
    expect(first.map((wall) => wall.slice(0, 16))).toEqual(right)
    if (engine !== 'rrule-temporal') return
    const theirs = byRRuleTemporal(given)!
    expect(theirs.found).not.toEqual(ours.found)
    expect(applies(given, ours, theirs)).toBe(true)
  })
})

describe('any rule', () => {
  it('is read back unchanged from its canonical text', () => {
    fc.assert(
      fc.property(dayRule, (text) => {
        const { rule } = parseRule(text)
        expect(parseRule(formatRule(rule)).rule).toEqual(rule)
        expect(parseRule(`rrule:${formatRule(rule).toLowerCase()}`).rule).toEqual(rule)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('gives ascending instants, all at the local time of day of the start', () => {
    fc.assert(
      fc.property(dayRule, quietStart, anyZone, (rule, start, timeZone) => {
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
        dayRule,
        quietStart,
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
          const justBefore = new Date(at.getTime() - 1)
          expect(occurrences(series, { after: at, limit: rest.length })).toEqual(rest)
          expect(latestBetween(series, justBefore, last, LIMIT)).toEqual([at, ...rest])
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })
})
