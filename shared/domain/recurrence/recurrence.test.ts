import { RRule } from 'rrule'
import { describe, expect, it } from 'vitest'
import { RFC5545_EXAMPLES, RFC5545_TIME_ZONE } from '../../../testing/builders/rfc5545-examples.ts'
import { parseRule, type MonthEnd } from './recurrence-rule.ts'
import {
  firstOccurrence,
  MAX_OCCURRENCES,
  nextOccurrence,
  occurrenceAfterCompletion,
  occurrences,
  latestBetween,
  untilInstant,
  untilText,
  type RecurrencePattern,
} from './recurrence.ts'
import { civilDate, instantToWall } from './wall-clock.ts'

interface Options {
  timeZone?: string
  monthEnd?: MonthEnd
  exdates?: string[]
  rdates?: string[]
}

/** `start` is an instant. */
function series(rule: string, start: string, options: Options = {}): RecurrencePattern {
  return {
    rule: parseRule(rule).rule,
    start: new Date(start),
    timeZone: options.timeZone ?? 'UTC',
    monthEnd: options.monthEnd ?? 'skip',
    exdates: (options.exdates ?? []).map((text) => new Date(text)),
    rdates: (options.rdates ?? []).map((text) => new Date(text)),
  }
}

const minutes = (instants: readonly Date[]) => instants.map((instant) => instant.toISOString().slice(0, 16))
const days = (pattern: RecurrencePattern, limit: number) =>
  occurrences(pattern, { limit }).map((instant) => civilDate(instant, pattern.timeZone))

describe('the examples of RFC 5545 §3.8.5.3', () => {
  const accepted = RFC5545_EXAMPLES.filter((example) => 'expected' in example)

  // rrule in TZID mode, which the engine avoids, gives other instants when the server's own zone changes.
  it.each(['Pacific/Apia', 'America/Los_Angeles'])('are the same on a machine in %s', (zone) => {
    const before = process.env.TZ
    process.env.TZ = zone
    try {
      expect(new Date('2026-01-01T00:00:00Z').getHours()).not.toBe(0)
      expect(accepted).toHaveLength(37)
      for (const { rule, start, exdates, expected, isEndless } of accepted) {
        const pattern = { ...series(rule, start.toISOString(), { timeZone: RFC5545_TIME_ZONE }), exdates }
        const limit = isEndless ? expected.length : MAX_OCCURRENCES
        expect([rule, occurrences(pattern, { limit })]).toEqual([rule, expected])
      }
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  })
})

describe('clock changes', () => {
  // A year, and what is expected of it from the start on.
  it.each<[string, string, string, string?]>([
    ['keep 09:00 through spring', 'Europe/Berlin', '2026 03-28T08:00 03-29T07:00 03-30T07:00'],
    ['keep 09:00 through autumn', 'Europe/Berlin', '2026 10-24T07:00 10-25T08:00 10-26T08:00'],
    ['move out of the gap, that day only', 'Europe/Berlin', '2026 03-28T01:30 03-29T01:30 03-30T00:30'],
    ['take the first of a time of two', 'Europe/Berlin', '2026 10-24T00:30 10-25T00:30 10-26T01:30'],
    ['keep a start that is the second', 'Europe/Berlin', '2026 10-25T01:30 10-26T01:30 10-27T01:30'],
    ['move by half an hour', 'Australia/Lord_Howe', '2026 10-02T15:45 10-03T15:45 10-04T15:15'],
    ['leave out a day, as Apia', 'Pacific/Apia', '2011 12-28T19:00 12-29T19:00 12-30T19:00 12-31T19:00'],
    ['begin a day without midnight', 'America/Sao_Paulo', '2018 11-03T03:00 11-04T03:00 11-05T02:00'],
    [
      'keep the local weekday where it differs from the UTC weekday',
      'Pacific/Auckland',
      '2026 03-29T20:00 04-05T21:00 04-12T21:00',
      'FREQ=WEEKLY;BYDAY=MO',
    ],
    [
      'do not count the day that Apia left out',
      'Pacific/Apia',
      '2011 12-28T19:00 12-29T19:00 12-30T19:00',
      'FREQ=DAILY;COUNT=3',
    ],
  ])('%s', (_, timeZone, instants, rule = 'daily') => {
    const [year, ...times] = instants.split(' ')
    const expected = times.map((time) => `${year}-${time}`)
    const pattern = series(rule, `${expected[0]}Z`, { timeZone })
    expect(minutes(occurrences(pattern, { limit: expected.length }))).toEqual(expected)
    const [first, second, third] = expected.map((text) => new Date(`${text}Z`))
    expect(nextOccurrence(pattern, first as Date)).toEqual(second)
    expect(nextOccurrence(pattern, second as Date)).toEqual(third)
  })

  it('find a time that its gap moved past midnight, also from shortly before', () => {
    const pattern = series('daily', '2025-03-28T01:30Z', { timeZone: 'America/Nuuk' })
    const moved = new Date('2025-03-30T01:30Z')
    expect(instantToWall(pattern.start, 'America/Nuuk')).toBe('2025-03-27T23:30:00.000')
    expect(instantToWall(moved, 'America/Nuuk')).toBe('2025-03-30T00:30:00.000')
    expect(nextOccurrence(pattern, new Date('2025-03-30T01:10Z'))).toEqual(moved)
    expect(nextOccurrence(pattern, moved)).toEqual(new Date('2025-03-31T00:30Z'))
  })
})

describe('the end of short months', () => {
  it.each([
    ['monthly', '2026-01-31', 'clamp', '2026-01-31 2026-02-28 2026-03-31 2026-04-30'],
    ['monthly', '2026-01-31', 'skip', '2026-01-31 2026-03-31 2026-05-31 2026-07-31'],
    ['monthly', '2028-01-30', 'clamp', '2028-01-30 2028-02-29 2028-03-30'],
    ['yearly', '2024-02-29', 'clamp', '2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29'],
    ['yearly', '2024-02-29', 'skip', '2024-02-29 2028-02-29 2032-02-29'],
    ['yearly', '2096-02-29', 'skip', '2096-02-29 2104-02-29'],
    ['FREQ=MONTHLY;INTERVAL=3', '2026-08-31', 'clamp', '2026-08-31 2026-11-30 2027-02-28 2027-05-31'],
    [
      'FREQ=MONTHLY;BYMONTHDAY=30,31',
      '2026-01-31',
      'clamp',
      '2026-01-31 2026-02-28 2026-03-30 2026-03-31 2026-04-30 2026-05-30',
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-02-10', 'clamp', '2026-02-28 2026-03-31 2026-04-30'],
    ['FREQ=MONTHLY;BYMONTHDAY=-31,31', '2026-01-02', 'clamp', '2026-01-31 2026-02-28 2026-03-01'],
    ['FREQ=MONTHLY;BYMONTHDAY=-31', '2026-01-01', 'clamp', '2026-01-01 2026-03-01 2026-05-01'],
    ['FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=FR', '2026-01-01', 'clamp', '2026-07-31 2027-04-30 2027-12-31'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,31;BYSETPOS=-1', '2026-01-01', 'clamp', '2026-01-31 2026-02-28'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2026-01-01', 'clamp', '2026-02-28 2027-02-28 2028-02-29'],
    ['FREQ=YEARLY;BYMONTH=2,3', '2026-01-31', 'clamp', '2026-02-28 2026-03-31 2027-02-28'],
    ['FREQ=MONTHLY;BYDAY=-1FR', '2026-01-30', 'clamp', '2026-01-30 2026-02-27 2026-03-27'],
  ] as const)('%s from %s with %s', (rule, start, monthEnd, expected) => {
    const limit = expected.split(' ').length
    expect(days(series(rule, `${start}T09:00Z`, { monthEnd }), limit).join(' ')).toBe(expected)
  })

  it('is reached in the local month, also where UTC is a day behind', () => {
    const pattern = series('monthly', '2026-01-30T20:00Z', {
      timeZone: 'Pacific/Auckland',
      monthEnd: 'clamp',
    })
    expect(days(pattern, 3)).toEqual(['2026-01-31', '2026-02-28', '2026-03-31'])
  })
})

describe('rules where rrule alone is wrong', () => {
  it.each([
    [
      'a position that a month does not have picks nothing',
      'FREQ=MONTHLY;BYMONTHDAY=20,31;BYSETPOS=-2',
      '2026-01-01',
      '2026-01-20 2026-03-20 2026-05-20',
    ],
    [
      'two positions that meet give one day',
      'FREQ=MONTHLY;COUNT=3;BYMONTHDAY=10,20;BYSETPOS=1,-2',
      '2026-01-01',
      '2026-01-10 2026-02-10 2026-03-10',
    ],
    [
      'a position counts days before the start',
      'FREQ=WEEKLY;COUNT=2;BYDAY=MO,WE,FR;BYSETPOS=1',
      '2026-11-18',
      '2026-11-23 2026-11-30',
    ],
    [
      'plain and numbered weekdays add up',
      'FREQ=MONTHLY;COUNT=4;BYDAY=MO,1FR',
      '2026-11-01',
      '2026-11-02 2026-11-06 2026-11-09 2026-11-16',
    ],
    [
      'a 53rd weekday exists in some years only',
      'FREQ=YEARLY;COUNT=3;BYDAY=53TH',
      '2026-01-01',
      '2026-12-31 2032-12-30 2037-12-31',
    ],
    [
      'positions reach across the new year',
      'FREQ=WEEKLY;COUNT=2;BYDAY=MO,SU;BYSETPOS=-1',
      '2026-12-29',
      '2027-01-03 2027-01-10',
    ],
  ])('%s', (_name, rule, start, expected) => {
    const limit = expected.split(' ').length
    expect(days(series(rule, `${start}T09:00Z`), limit).join(' ')).toBe(expected)
  })
})

describe('COUNT, UNTIL, EXDATE and RDATE', () => {
  it('counts before it excludes', () => {
    const pattern = series('FREQ=DAILY;COUNT=4', '2026-11-21T09:00Z', { exdates: ['2026-11-22T09:00Z'] })
    expect(days(pattern, 10)).toEqual(['2026-11-21', '2026-11-23', '2026-11-24'])
    expect(nextOccurrence(pattern, new Date('2026-11-24T09:00Z'))).toBeNull()
  })

  it('does not count a start that the rule does not hit', () => {
    const pattern = series('FREQ=WEEKLY;COUNT=2;BYDAY=MO', '2026-11-21T09:00Z')
    expect(days(pattern, 10)).toEqual(['2026-11-23', '2026-11-30'])
  })

  it('adds dates, in order, once, wherever they lie, and lets EXDATE take them out again', () => {
    const pattern = series('FREQ=DAILY;COUNT=2', '2026-11-21T09:00Z', {
      rdates: [
        '2027-01-01T12:00Z',
        '2026-11-21T15:00Z',
        '2026-11-22T09:00Z',
        '2026-11-01T00:00Z',
        '2026-12-24T18:00Z',
      ],
      exdates: ['2026-12-24T18:00Z'],
    })
    const all = [
      '2026-11-01T00:00',
      '2026-11-21T09:00',
      '2026-11-21T15:00',
      '2026-11-22T09:00',
      '2027-01-01T12:00',
    ]
    expect(minutes(occurrences(pattern, { limit: 10 }))).toEqual(all)
    expect(minutes(occurrences(pattern, { after: new Date('2026-11-21T09:00Z'), limit: 2 }))).toEqual(
      all.slice(2, 4),
    )
    expect(nextOccurrence(pattern, new Date('2026-11-22T09:00Z'))).toEqual(new Date('2027-01-01T12:00Z'))
  })

  it('ends when every instant is excluded', () => {
    const exdates = ['2026-11-21T09:00Z', '2026-11-22T09:00Z']
    expect(firstOccurrence(series('FREQ=DAILY;COUNT=2', '2026-11-21T09:00Z', { exdates }))).toBeNull()
  })

  it.each([
    ['the instant itself is included', 'UNTIL=20261123T080000Z', '2026-11-21 2026-11-22 2026-11-23'],
    ['a second less is not', 'UNTIL=20261123T075959Z', '2026-11-21 2026-11-22'],
    [
      'a local time is read in the zone of the series',
      'UNTIL=20261123T090000',
      '2026-11-21 2026-11-22 2026-11-23',
    ],
    ['a local time a second less', 'UNTIL=20261123T085959', '2026-11-21 2026-11-22'],
    ['a date includes that day', 'UNTIL=20261123', '2026-11-21 2026-11-22 2026-11-23'],
    ['before the start there is nothing', 'UNTIL=20200101', ''],
  ])('UNTIL: %s', (_name, until, expected) => {
    const pattern = series(`FREQ=DAILY;${until}`, '2026-11-21T08:00Z', { timeZone: 'Europe/Berlin' })
    expect(days(pattern, 10).join(' ')).toBe(expected)
  })

  it('compares UNTIL with instants, not with wall clocks', () => {
    const pattern = series('FREQ=DAILY;UNTIL=20260105T235959Z', '2026-01-03T01:00Z', {
      timeZone: 'America/New_York',
    })
    expect(minutes(occurrences(pattern, { limit: 10 }))).toEqual([
      '2026-01-03T01:00',
      '2026-01-04T01:00',
      '2026-01-05T01:00',
    ])
  })

  it('resolves UNTIL in a zone and writes it back in UTC', () => {
    const until = (text: string) =>
      untilInstant(parseRule(`FREQ=DAILY;UNTIL=${text}`).rule, 'America/New_York')
    expect(until('20261231')).toEqual(new Date('2027-01-01T04:59:59Z'))
    expect(until('20260308T023000')).toEqual(new Date('2026-03-08T07:30:00Z'))
    expect(untilInstant(parseRule('daily').rule, 'UTC')).toBeNull()
    expect(untilText(new Date('2027-01-01T04:59:59.999Z'))).toBe('20270101T045959Z')
  })
})

describe('latestBetween', () => {
  const pattern = series('daily', '2026-11-21T09:00Z')

  it('leaves out the beginning and includes the end', () => {
    const found = latestBetween(pattern, new Date('2026-11-21T09:00Z'), new Date('2026-11-23T09:00Z'), 10)
    expect(minutes(found)).toEqual(['2026-11-22T09:00', '2026-11-23T09:00'])
  })

  it.each([
    ['daily', ['2099-12-30T09:00', '2099-12-31T09:00']],
    ['FREQ=DAILY;COUNT=9', ['2026-11-28T09:00', '2026-11-29T09:00']],
    ['yearly', ['2098-11-21T09:00', '2099-11-21T09:00']],
    ['FREQ=HOURLY;BYMINUTE=0,30', ['2099-12-31T23:30', '2100-01-01T00:00']],
  ])('finds the latest of %s, however long ago the beginning', (rule, expected) => {
    const [after, through] = [new Date('1990-01-01T00:00Z'), new Date('2100-01-01T00:00Z')]
    expect(minutes(latestBetween(series(rule, '2026-11-21T09:00Z'), after, through, 2))).toEqual(expected)
    expect(latestBetween(pattern, through, after, 10)).toEqual([])
  })
})

describe('several times a day', () => {
  it.each([
    ['FREQ=DAILY;BYHOUR=9,17', '2026-03-01T12:00Z', '2026-03-01T17:00 2026-03-02T09:00 2026-03-02T17:00'],
    ['FREQ=DAILY;BYMINUTE=0,30', '2026-03-01T09:15Z', '2026-03-01T09:30 2026-03-02T09:00 2026-03-02T09:30'],
    ['FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=45', '2026-03-01T12:00Z', '2026-03-02T08:45 2026-03-09T08:45'],
    [
      'FREQ=MONTHLY;BYMONTHDAY=1,2;BYHOUR=8,20;BYSETPOS=-1',
      '2026-03-01T12:00Z',
      '2026-03-02T20:00 2026-04-02T20:00',
    ],
    [
      'FREQ=HOURLY;INTERVAL=8',
      '2026-03-01T06:10Z',
      '2026-03-01T06:10 2026-03-01T14:10 2026-03-01T22:10 2026-03-02T06:10',
    ],
    ['FREQ=HOURLY;INTERVAL=5', '2026-03-01T22:00Z', '2026-03-01T22:00 2026-03-02T03:00 2026-03-02T08:00'],
    ['FREQ=HOURLY;INTERVAL=30', '2026-03-01T22:00Z', '2026-03-01T22:00 2026-03-03T04:00 2026-03-04T10:00'],
    [
      'FREQ=HOURLY;BYHOUR=9,10;BYMINUTE=0,30;BYDAY=MO',
      '2026-03-01T22:00Z',
      '2026-03-02T09:00 2026-03-02T09:30 2026-03-02T10:00 2026-03-02T10:30 2026-03-09T09:00',
    ],
    ['FREQ=HOURLY;COUNT=3', '2026-03-01T22:00Z', '2026-03-01T22:00 2026-03-01T23:00 2026-03-02T00:00'],
  ])('%s from %s', (rule, start, expected) => {
    const pattern = series(rule, start)
    const found = occurrences(pattern, { limit: expected.split(' ').length })
    expect(minutes(found).join(' ')).toBe(expected)
    // The same when it is asked for from the middle.
    for (const [index, instant] of found.slice(0, -1).entries()) {
      expect(nextOccurrence(pattern, instant)).toEqual(found[index + 1])
    }
  })

  it('meets in the spring gap, in order and each instant once', () => {
    const pattern = series('FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=15,45', '2026-03-28T23:00Z', {
      timeZone: 'Europe/Berlin',
    })
    expect(minutes(occurrences(pattern, { limit: 5 }))).toEqual([
      '2026-03-29T00:15',
      '2026-03-29T00:45', // 1:15, 1:45
      '2026-03-29T01:15',
      '2026-03-29T01:45', // 3:15, 3:45, which 2:15 and 2:45 become too
      '2026-03-29T23:15',
    ])
    const halfHour = series('FREQ=DAILY;BYHOUR=2;BYMINUTE=10,30,50', '2026-10-02T14:00Z', {
      timeZone: 'Australia/Lord_Howe',
    })
    expect(minutes(occurrences(halfHour, { after: new Date('2026-10-03T12:00Z'), limit: 4 }))).toEqual([
      '2026-10-03T15:30',
      '2026-10-03T15:40',
      '2026-10-03T15:50', // 2:30, 2:40 (was 2:10), 2:50
      '2026-10-04T15:10',
    ])
  })

  it('has each hour of the clock once: an hour that comes twice is the first', () => {
    const pattern = series('FREQ=HOURLY', '2026-10-24T23:30Z', { timeZone: 'Europe/Berlin' })
    expect(minutes(occurrences(pattern, { limit: 3 }))).toEqual([
      '2026-10-24T23:30',
      '2026-10-25T00:30',
      '2026-10-25T02:30',
    ])
  })

  it('follows a completion: the next of the times of day, or so many hours later', () => {
    const after = (rule: string, completedAt: string) =>
      minutes([occurrenceAfterCompletion(series(rule, '2026-03-01T09:00Z'), new Date(completedAt))!])[0]
    expect(after('FREQ=DAILY;BYHOUR=9,17', '2026-03-05T10:12Z')).toBe('2026-03-05T17:00')
    expect(after('FREQ=DAILY;BYHOUR=9,17', '2026-03-05T18:00Z')).toBe('2026-03-06T09:00')
    expect(after('FREQ=HOURLY;INTERVAL=4', '2026-03-05T10:12:31Z')).toBe('2026-03-05T14:12')
    expect(after('FREQ=DAILY;INTERVAL=3;BYHOUR=7', '2026-03-05T05:00Z')).toBe('2026-03-08T07:00')
  })
})

describe('occurrenceAfterCompletion', () => {
  const start = '2026-11-02T08:00Z'
  const timeZone = 'Europe/Berlin'

  it.each([
    ['every 3 days, done in the evening', 'FREQ=DAILY;INTERVAL=3', '2026-11-21T20:00Z', '2026-11-24T08:00'],
    ['every 3 days, done early', 'FREQ=DAILY;INTERVAL=3', '2026-11-21T05:00Z', '2026-11-24T08:00'],
    [
      'every 3 days, done the next local day',
      'FREQ=DAILY;INTERVAL=3',
      '2026-11-21T23:30Z',
      '2026-11-25T08:00',
    ],
    ['weekly: a week after the day of completion', 'weekly', '2026-11-21T20:00Z', '2026-11-28T08:00'],
    ['named weekdays stay', 'FREQ=WEEKLY;BYDAY=MO', '2026-11-21T20:00Z', '2026-11-23T08:00'],
    ['monthly: a month after the day of completion', 'monthly', '2026-11-21T20:00Z', '2026-12-21T08:00'],
    [
      'the wall clock stays through a clock change',
      'FREQ=DAILY;INTERVAL=10',
      '2026-10-20T20:00Z',
      '2026-10-30T08:00',
    ],
    ['on a day that leaves the time out', 'daily', '2026-03-29T12:00Z', '2026-03-30T07:00'],
    ['COUNT is for the caller', 'FREQ=DAILY;COUNT=1', '2026-11-21T20:00Z', '2026-11-22T08:00'],
  ])('%s', (_name, rule, completedAt, expected) => {
    const next = occurrenceAfterCompletion(series(rule, start, { timeZone }), new Date(completedAt))
    expect(minutes([next as Date])).toEqual([expected])
  })

  it('gives null after UNTIL', () => {
    const pattern = series('FREQ=DAILY;UNTIL=20261121', start, { timeZone })
    expect(occurrenceAfterCompletion(pattern, new Date('2026-11-21T20:00Z'))).toBeNull()
  })
})

describe('hostile rules', () => {
  const hostile = [
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=30,31',
    'FREQ=DAILY;INTERVAL=7;BYDAY=MO,TU,WE,TH,FR,SU',
    'FREQ=DAILY;INTERVAL=994;BYDAY=MO,TU,WE,TH,FR,SU',
    'FREQ=DAILY;INTERVAL=14;BYDAY=MO,TU,WE,TH,FR,SU;COUNT=1000',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-30;UNTIL=99991231T235959Z',
    'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA;BYSETPOS=7',
    'FREQ=MONTHLY;BYMONTHDAY=15;BYDAY=1MO',
    'FREQ=MONTHLY;INTERVAL=12;BYMONTH=3',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA;BYSETPOS=31',
    'FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29',
    'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA;BYSETPOS=366,-366',
    'FREQ=YEARLY;BYDAY=53MO;BYMONTHDAY=1;BYSETPOS=2',
    'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10',
    'FREQ=HOURLY;INTERVAL=24;BYHOUR=8',
    'FREQ=HOURLY;INTERVAL=998;BYHOUR=8',
    'FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=1,2;BYSETPOS=40',
  ]

  it.each(hostile)('%s never happens, and finding that out takes a bounded search', (rule) => {
    const pattern = series(rule, '2025-11-22T09:00Z')
    const { rounds, lookUps } = countWork(() => {
      expect(firstOccurrence(pattern)).toBeNull()
      expect(nextOccurrence(pattern, new Date('2200-01-01T00:00Z'))).toBeNull()
    })
    expect(rounds).toBeLessThanOrEqual(14)
    expect(lookUps).toBeGreaterThan(0)
    expect(lookUps).toBeLessThan(400_000)
  })

  const heavy = [
    'FREQ=DAILY;COUNT=1000',
    'FREQ=DAILY;INTERVAL=999;COUNT=1000',
    'FREQ=YEARLY;INTERVAL=999;COUNT=1000',
    'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000',
    'FREQ=DAILY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000',
    'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1,366',
    'FREQ=HOURLY;INTERVAL=999;COUNT=1000',
    'FREQ=HOURLY;INTERVAL=999;BYHOUR=9;BYMONTH=2;COUNT=1000',
    'FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,30;COUNT=1000',
  ]

  it.each(heavy)('%s is listed and continued with bounded work', (rule) => {
    const pattern = series(rule, '1997-11-22T09:00Z')
    const { rounds, lookUps } = countWork(() => {
      expect(occurrences(pattern, { limit: 1e6 }).length).toBeGreaterThan(0)
      nextOccurrence(pattern, new Date('9990-01-01T00:00Z'))
    })
    expect(rounds).toBeLessThanOrEqual(14)
    expect(lookUps).toBeLessThan(800_000)
  })

  it('asks rrule once for each kind of year and never again', () => {
    const pattern = series('FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=-9', '1997-11-22T09:00Z')
    const list = () => expect(occurrences(pattern, { limit: 60 })).toHaveLength(60)
    expect(countWork(list).rounds).toBe(14)
    expect(countWork(list).rounds).toBe(0)
  })

  it('goes straight to a far-away instant when there is no COUNT', () => {
    const pattern = series('FREQ=DAILY;INTERVAL=3', '0001-01-01T09:00Z')
    const { lookUps } = countWork(() => {
      expect(nextOccurrence(pattern, new Date('2026-11-21T00:00Z'))).toEqual(new Date('2026-11-22T09:00Z'))
    })
    expect(lookUps).toBeLessThan(100)
  })

  it('ends with the year 9999', () => {
    const pattern = series('daily', '9999-12-30T09:00Z')
    expect(days(pattern, 10)).toEqual(['9999-12-30', '9999-12-31'])
    expect(days(series('FREQ=WEEKLY;BYDAY=FR,SA', '9999-12-31T09:00Z'), 10)).toEqual(['9999-12-31'])
    expect(nextOccurrence(series('daily', '2026-01-01T09:00Z'), new Date(8.64e15))).toBeNull()
  })
})

/** How often rrule was run and how often a day was looked up: the two things that could run away. */
function countWork(run: () => void): { rounds: number; lookUps: number } {
  const work = { rounds: 0, lookUps: 0 }
  const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
  const { all } = RRule.prototype
  const { indexOf } = typedArrays
  RRule.prototype.all = function (...args) {
    work.rounds += 1
    return all.apply(this, args)
  }
  typedArrays.indexOf = function (...args) {
    work.lookUps += 1
    return indexOf.apply(this, args)
  }
  try {
    run()
  } finally {
    RRule.prototype.all = all
    typedArrays.indexOf = indexOf
  }
  return work
}
