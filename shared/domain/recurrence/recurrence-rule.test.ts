import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RFC5545_EXAMPLES } from '../../../testing/builders/rfc5545-examples.ts'
import { formatRule, parseRule, RecurrenceError } from './recurrence-rule.ts'

const refusal = (text: string): RecurrenceError => {
  try {
    parseRule(text)
  } catch (error) {
    if (error instanceof RecurrenceError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

const answer = (text: string): boolean => {
  try {
    return parseRule(text).rule.interval > 0
  } catch (error) {
    return error instanceof RecurrenceError && error.part !== ''
  }
}

describe('parseRule', () => {
  it.each([
    ['daily', 'FREQ=DAILY', null],
    ['weekly', 'FREQ=WEEKLY', null],
    ['weekdays', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR', null],
    ['monthly', 'FREQ=MONTHLY', 'clamp'],
    ['Yearly ', 'FREQ=YEARLY', 'clamp'],
    ['FREQ=MONTHLY', 'FREQ=MONTHLY', null],
    // RFC 7529.
    ['RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD', 'FREQ=MONTHLY', 'clamp'],
    ['FREQ=YEARLY;SKIP=OMIT', 'FREQ=YEARLY', 'skip'],
    ['RSCALE=GREGORIAN;FREQ=WEEKLY;SKIP=FORWARD', 'FREQ=WEEKLY', 'skip'],
  ])('reads %j as %s, and short months: %s', (text, canonical, expected) => {
    const { rule, monthEnd } = parseRule(text)
    expect(formatRule(rule)).toBe(canonical)
    expect(monthEnd).toBe(expected)
  })

  // As libical, ical4j, dateutil, rrule and rrule-temporal do, or most of them.
  it.each([
    ['FREQ=DAILY;', 'FREQ=DAILY'],
    [';FREQ=DAILY;;COUNT=1', 'FREQ=DAILY;COUNT=1'],
    ['FREQ=WEEKLY; BYDAY=MO, WE', 'FREQ=WEEKLY;BYDAY=MO,WE'],
    ['FREQ = DAILY', 'FREQ=DAILY'],
    ['FREQ=WEEKLY;BYDAY=MO,\r\n WE', 'FREQ=WEEKLY;BYDAY=MO,WE'],
    ['FREQ=DAILY;X-FOO=1;X-BAR=a b', 'FREQ=DAILY'],
  ])('is lenient with %j', (text, canonical) => {
    expect(formatRule(parseRule(text).rule)).toBe(canonical)
  })

  it.each([
    ['FREQ=DAILY;BYHOUR=17,9', 'FREQ=DAILY;BYHOUR=9,17'],
    ['FREQ=DAILY;BYMINUTE=30,0,30;BYHOUR=9', 'FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30'],
    ['FREQ=HOURLY', 'FREQ=HOURLY'],
    ['FREQ=HOURLY;BYMINUTE=0,30', 'FREQ=HOURLY;BYMINUTE=0,30'],
    ['FREQ=HOURLY;INTERVAL=8;BYDAY=MO', 'FREQ=HOURLY;INTERVAL=8;BYDAY=MO'],
    ['FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=8,9;BYSETPOS=-1', 'FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=8,9;BYSETPOS=-1'],
    ['FREQ=DAILY;BYHOUR=9,17;BYSETPOS=2', 'FREQ=DAILY;BYHOUR=9,17;BYSETPOS=2'],
  ])('takes times of day: %s', (text, canonical) => {
    expect(formatRule(parseRule(text).rule)).toBe(canonical)
  })

  it.each([
    ['RRULE:FREQ=DAILY', 'FREQ=DAILY'],
    ['rrule:freq=weekly;byday=fr,mo', 'FREQ=WEEKLY;BYDAY=MO,FR'],
    ['BYDAY=MO;FREQ=WEEKLY;INTERVAL=1', 'FREQ=WEEKLY;BYDAY=MO'],
    ['FREQ=WEEKLY;WKST=MO', 'FREQ=WEEKLY'],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=SU', 'FREQ=WEEKLY;INTERVAL=2;WKST=SU'],
    ['FREQ=MONTHLY;BYDAY=+1MO,-1FR,1MO', 'FREQ=MONTHLY;BYDAY=1MO,-1FR'],
    ['FREQ=MONTHLY;BYMONTHDAY=31,+1,-1,1', 'FREQ=MONTHLY;BYMONTHDAY=-1,1,31'],
    ['FREQ=YEARLY;BYMONTH=12,01,1;BYMONTHDAY=07', 'FREQ=YEARLY;BYMONTH=1,12;BYMONTHDAY=7'],
    ['FREQ=YEARLY;BYDAY=20MO', 'FREQ=YEARLY;BYDAY=20MO'],
    ['FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1,2', 'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1,2'],
    ['FREQ=DAILY;INTERVAL=999;COUNT=1000', 'FREQ=DAILY;INTERVAL=999;COUNT=1000'],
    ['FREQ=DAILY;UNTIL=20261231', 'FREQ=DAILY;UNTIL=20261231'],
    ['FREQ=DAILY;UNTIL=20261231T235959', 'FREQ=DAILY;UNTIL=20261231T235959'],
    ['freq=daily;until=20261231t235959z', 'FREQ=DAILY;UNTIL=20261231T235959Z'],
  ])('writes %s canonically', (text, canonical) => {
    expect(formatRule(parseRule(text).rule)).toBe(canonical)
  })

  it.each([
    ['FREQ=MINUTELY', 'FREQ'],
    ['FREQ=SECONDLY', 'FREQ'],
    ['FREQ=DAILY;BYSECOND=0', 'BYSECOND'],
    ['FREQ=YEARLY;BYWEEKNO=20', 'BYWEEKNO'],
    ['FREQ=YEARLY;BYYEARDAY=100', 'BYYEARDAY'],
    ['FREQ=YEARLY;BYEASTER=0', 'BYEASTER'],
    ['RSCALE=CHINESE;FREQ=YEARLY', 'RSCALE'],
    ['FREQ=MONTHLY;SKIP=FORWARD', 'SKIP'],
    ['FREQ=DAILY;__PROTO__=1', 'RRULE'],
    ['FREQ=DAILY;CONSTRUCTOR=1', 'CONSTRUCTOR'],
  ])('refuses %s and names %s', (text, part) => {
    expect(refusal(text)).toMatchObject({ part, message: expect.stringContaining(part) })
  })

  it('tells parts it does not know from parts it knows with a wrong value', () => {
    expect(refusal('FREQ=DAILY;BYSECOND=9').code).toBe('recurrence.unsupported_part')
    expect(refusal('FREQ=FORTNIGHTLY').code).toBe('recurrence.invalid_part')
  })

  it.each([
    ['', 'FREQ'],
    ['every monday', 'RRULE'],
    ['FREQ', 'RRULE'],
    ['FREQ=', 'RRULE'],
    [' ; ', 'FREQ'],
    ['X-FOO=1', 'FREQ'],
    ['FREQ=DAILY;BYHOUR=24', 'BYHOUR'],
    ['FREQ=DAILY;BYHOUR=-1', 'BYHOUR'],
    ['FREQ=DAILY;BYHOUR=', 'RRULE'],
    ['FREQ=DAILY;BYHOUR=9,', 'BYHOUR'],
    ['FREQ=DAILY;BYMINUTE=60', 'BYMINUTE'],
    [
      `FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join()};BYMINUTE=0,20,40`,
      'BYMINUTE',
    ],
    ['FREQ=HOURLY;BYMINUTE=0,20,40', 'BYMINUTE'],
    ['FREQ=HOURLY;BYDAY=1MO', 'BYDAY'],
    ['FREQ=HOURLY;BYDAY=MO;BYSETPOS=2', 'BYSETPOS'],
    ['FREQ=DAILY;BYHOUR=9,17;BYSETPOS=3', 'BYSETPOS'],
    ['FREQ=MONTHLY;SKIP=SIDEWAYS', 'SKIP'],
    ['DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY', 'RRULE'],
    ['FREQ=DAILY\nEXDATE=20260101', 'FREQ'],
    ['FREQ=DAILY\u0000', 'FREQ'],
    ['RRULE:RRULE:FREQ=DAILY', 'RRULE'],
    [`FREQ=DAILY;BYMONTHDAY=${'1,'.repeat(500_000)}1`, 'RRULE'],
    ['INTERVAL=2', 'FREQ'],
    ['FREQ=DAILY;FREQ=WEEKLY', 'FREQ'],
    ['FREQ=DAILY;COUNT=1;COUNT=1', 'COUNT'],
    ['FREQ=DAILY;COUNT=3;UNTIL=20270101', 'UNTIL'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=-1', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=1000', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=1.5', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=1E2', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=٣', 'INTERVAL'],
    ['FREQ=DAILY;COUNT=0', 'COUNT'],
    ['FREQ=DAILY;COUNT=-1', 'COUNT'],
    ['FREQ=DAILY;COUNT=1001', 'COUNT'],
    ['FREQ=DAILY;COUNT=99999999999999999999', 'COUNT'],
    ['FREQ=YEARLY;BYMONTH=0', 'BYMONTH'],
    ['FREQ=YEARLY;BYMONTH=13', 'BYMONTH'],
    ['FREQ=YEARLY;BYMONTH=-1', 'BYMONTH'],
    ['FREQ=YEARLY;BYMONTH=1,,2', 'BYMONTH'],
    ['FREQ=YEARLY;BYMONTH=5L', 'BYMONTH'],
    ['FREQ=MONTHLY;BYMONTHDAY=0', 'BYMONTHDAY'],
    ['FREQ=MONTHLY;BYMONTHDAY=32', 'BYMONTHDAY'],
    ['FREQ=MONTHLY;BYMONTHDAY=-32', 'BYMONTHDAY'],
    ['FREQ=MONTHLY;BYMONTHDAY=1;BYMONTHDAY=2', 'BYMONTHDAY'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', 'BYMONTHDAY'],
    ['FREQ=WEEKLY;BYDAY=XX', 'BYDAY'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'BYDAY'],
    ['FREQ=DAILY;BYDAY=-1MO', 'BYDAY'],
    ['FREQ=MONTHLY;BYDAY=0MO', 'BYDAY'],
    ['FREQ=MONTHLY;BYDAY=6MO', 'BYDAY'],
    ['FREQ=YEARLY;BYDAY=54MO', 'BYDAY'],
    ['FREQ=YEARLY;BYMONTH=1;BYDAY=-6MO', 'BYDAY'],
    ['FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0', 'BYSETPOS'],
    ['FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32', 'BYSETPOS'],
    ['FREQ=DAILY;BYDAY=MO;BYSETPOS=2', 'BYSETPOS'],
    ['FREQ=YEARLY;BYDAY=MO;BYSETPOS=-367', 'BYSETPOS'],
    ['FREQ=MONTHLY;BYSETPOS=1', 'BYSETPOS'],
    ['FREQ=WEEKLY;WKST=XX', 'WKST'],
    ['FREQ=WEEKLY;WKST=1MO', 'WKST'],
    ['FREQ=DAILY;UNTIL=tomorrow', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=20270230', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=20270101T240000Z', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=20270101T0900Z', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=20270101T090000+0100', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=2027-01-01', 'UNTIL'],
  ])('refuses %.60j because of %s', (text, part) => {
    expect(refusal(text)).toMatchObject({ code: 'recurrence.invalid_part', part })
  })

  it('refuses the examples of the RFC outside the grammar by the part that is', () => {
    const refused = RFC5545_EXAMPLES.filter((example) => 'rejectedPart' in example)
    expect(refused).toHaveLength(5)
    for (const { rule, rejectedPart } of refused) expect(refusal(rule).part).toBe(rejectedPart)
  })

  it('answers any text with a rule or a RecurrenceError', () => {
    const piece = fc.constantFrom(
      'FREQ=',
      'DAILY',
      'MONTHLY',
      ';',
      ';BYDAY=',
      '-1MO',
      ';UNTIL=',
      '20270101',
      ',',
      '7',
      'RRULE:',
    )
    const soup = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), soup), (text) => {
        expect(answer(text)).toBe(true)
      }),
      { seed: 5545, numRuns: 2000 },
    )
  })
})
