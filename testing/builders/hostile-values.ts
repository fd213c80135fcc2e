import fc from 'fast-check'

/** Single values that want to hurt: what is no text, no number, no rule, and what is one only just. */

const NASTY = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e',
  '💥'.repeat(200),
  '%',
  '_',
  '\\',
  "'; drop table tasks; --",
  '$1',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  'x'.repeat(300),
  'NaN',
  '-1',
  '0',
  '1e309',
  '9007199254740993',
  '99999999999999999999',
  'null',
  'true',
  '__proto__',
  'constructor',
  '2027-02-30',
  '2027-03-01T25:00:00Z',
  '275760-09-13T00:00:00Z',
  '0000-00-00',
  '2027-03-01T09:00:00+99:99',
  'Europe/Nowhere',
  '../../zoneinfo',
  'W/"1"',
  '"1',
  '*',
  '"99999999999999999999"',
  '"1","2"',
]

export const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
)

export const anything = fc.oneof(
  { weight: 12, arbitrary: text },
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 4, arbitrary: fc.constantFrom(1e308, -1, 0.5, 2 ** 53, [], {}, [[]], null, true) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x'.repeat(1_000_000), '💥'.repeat(240_000), ['x'.repeat(500_000)]),
  },
)

const numbers = (min: number, max: number) =>
  fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 8 }).map((list) => list.join(','))
const days = fc
  .array(
    fc.tuple(
      fc.constantFrom('', '', '1', '-1', '5', '53', '-53', '0'),
      fc.constantFrom('MO', 'TU', 'SU', 'XX'),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) => list.map((pair) => pair.join('')).join(','))

/** RRULE values from plain to bomb: never happening, all but endless, outside the grammar, or no rule at all. */
export const rule = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'DAILY', 'MONTHLY', 'SECONDLY', 'EASTERLY'),
      fc.record(
        {
          INTERVAL: fc.constantFrom('1', '2', '7', '999', '1000000', '0', '-1'),
          COUNT: fc.constantFrom('1', '10', '1000', '999999999', '0'),
          UNTIL: fc.constantFrom(
            '20270401',
            '20270401T000000Z',
            '19000101T000000Z',
            '99991231T235959Z',
            '2027',
          ),
          BYDAY: days,
          BYMONTHDAY: numbers(-32, 32),
          BYMONTH: numbers(0, 13),
          BYSETPOS: numbers(-367, 367),
          BYHOUR: numbers(0, 24),
          BYWEEKNO: numbers(-54, 54),
          WKST: fc.constantFrom('MO', 'SU', 'ZZ'),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([frequency, parts]) =>
      [`FREQ=${frequency}`, ...Object.entries(parts).map((pair) => pair.join('='))].join(';'),
    ),
  fc.constantFrom(
    'daily',
    'weekdays',
    'hourly',
    'RRULE:FREQ=DAILY',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=',
    'FREQ=DAILY;FREQ=DAILY',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=3',
    'FREQ=DAILY;INTERVAL=7;BYDAY=TU',
    'FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4',
    `FREQ=WEEKLY;BYDAY=${'MO,'.repeat(100)}MO`,
    'FREQ=DAILY;X-EVIL=1',
    'freq=daily;interval=1',
    ';;;',
    '\n',
  ),
)

const TIMES = [
  '1900-01-01T00:00:00Z',
  '2199-12-31T23:59:59.999Z',
  '2027-03-28T02:30:00+01:00',
  '2027-03-28T01:30:00Z',
]
export const instant = fc.oneof(
  fc.constantFrom(...TIMES),
  fc
    .date({ min: new Date('1900-01-02'), max: new Date('2199-12-30'), noInvalidDate: true })
    .map((date) => date.toISOString()),
)
