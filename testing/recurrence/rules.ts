import * as fc from 'fast-check'
import { WEEKDAYS, type Frequency, type MonthEnd } from '../../shared/domain/recurrence/recurrence-rule.ts'

/** A rule and where it starts: `start` is a local time in the zone. */
export interface RuleCase {
  rule: string
  start: string
  timeZone: string
  monthEnd: MonthEnd
}

/** Zones whose clocks change by half an hour, at midnight, in Ramadan, by a whole day, or never. */
export const ZONES = [
  'UTC',
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Asuncion',
  'America/Havana',
  'America/New_York',
  'America/Nuuk',
  'America/Phoenix',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
]

const pad = (number: number) => String(number).padStart(2, '0')
const listOf = <T>(item: fc.Arbitrary<T>, maxLength = 4) =>
  fc.uniqueArray(item, { minLength: 1, maxLength }).map((items) => items.join())
/** Half the time; `freq` is how rare it is that there is none. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { freq, nil: undefined })
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const signed = (highest: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: highest }) },
    fc.integer({ min: -highest, max: -1 }),
  )
const weekday = fc.constantFrom(...WEEKDAYS)

function byDay(freq: Frequency, highest: number): fc.Arbitrary<string> {
  if (freq !== 'MONTHLY' && freq !== 'YEARLY') return listOf(weekday)
  const numbered = fc.tuple(signed(highest), weekday).map(([nth, day]) => `${nth}${day}`)
  return listOf(fc.oneof({ weight: 2, arbitrary: weekday }, numbered))
}

const end = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 1, max: 30 }).map((count) => `COUNT=${count}`),
  fc
    .record({
      year: fc.integer({ min: 2020, max: 2035 }),
      month: fc.integer({ min: 1, max: 12 }),
      hour: fc.integer({ min: 0, max: 23 }),
      form: fc.constantFrom('THHMMSSZ', 'THHMMSS', ''),
    })
    .map(
      ({ year, month, hour, form }) =>
        `UNTIL=${year}${pad(month)}15${form.replace('HHMMSS', `${pad(hour)}0000`)}`,
    ),
)

const anyText = (freqs: readonly Frequency[]) =>
  fc.constantFrom(...freqs).chain((freq) =>
    sometimes(listOf(fc.integer({ min: 1, max: 12 })), 2).chain((byMonth) => {
      const positions = { HOURLY: 1, DAILY: 1, WEEKLY: 4, MONTHLY: 6, YEARLY: 12 }[freq]
      const isTimed = freqs.includes('HOURLY')
      const hours = listOf(fc.integer({ min: 0, max: 23 }), 3)
      const minutes = listOf(fc.constantFrom(0, 10, 15, 30, 45, 59), 2)
      return fc
        .record({
          INTERVAL: sometimes(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 40 }))),
          BYMONTHDAY: freq === 'WEEKLY' ? fc.constant(undefined) : sometimes(listOf(signed(31))),
          BYDAY: sometimes(byDay(freq, freq === 'YEARLY' && byMonth === undefined ? 53 : 5)),
          BYHOUR: isTimed ? rarely(hours) : fc.constant(undefined),
          BYMINUTE: isTimed ? rarely(minutes) : fc.constant(undefined),
          BYSETPOS: sometimes(listOf(signed(positions), 2)),
          WKST: sometimes(weekday),
          end,
        })
        .map(({ end: last, ...parts }) => {
          const named: Record<string, string | number | undefined> = {
            FREQ: freq,
            BYMONTH: byMonth,
            ...parts,
          }
          const { BYDAY, BYHOUR, BYMINUTE, BYMONTHDAY } = parts
          if (!byMonth && !BYDAY && !BYMONTHDAY && !BYHOUR && !BYMINUTE) delete named.BYSETPOS
          const texts = Object.entries(named).flatMap(([name, value]) =>
            value === undefined ? [] : `${name}=${value}`,
          )
          return [...texts, ...(last ? [last] : [])].join(';')
        })
    }),
  )

const startAt = (...times: string[]) =>
  fc
    .record({
      year: fc.integer({ min: 2005, max: 2030 }),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 28 }),
      time: fc.constantFrom(...times),
    })
    .map(({ year, month, day, time }) => `${year}-${pad(month)}-${pad(day)}T${time}`)

/** Rules of days, from times at which no clocks change. */
export const dayRule = anyText(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
export const quietStart = startAt('05:15:00', '09:00:00', '12:30:00', '18:00:00')
export const anyZone = fc.constantFrom(...ZONES)

/** Any rule, from any time: those at which clocks change among them. */
const anyRule = anyText(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
const anyStart = startAt('00:00:00', '00:30:00', '01:30:00', '02:15:00', '02:30:00', '09:00:00', '23:30:00')

const plain = fc.record({
  rule: anyRule,
  start: anyStart,
  timeZone: anyZone,
  monthEnd: fc.constant<MonthEnd>('skip'),
})

/** One day of the month that short months lack, moved to their end. */
const clamped = fc
  .record({
    freq: fc.constantFrom('FREQ=MONTHLY', 'FREQ=YEARLY'),
    interval: fc.integer({ min: 1, max: 14 }),
    month: fc.constantFrom(2, 4, 9),
    day: fc.integer({ min: 29, max: 31 }),
    start: anyStart,
    timeZone: anyZone,
  })
  .map(({ freq, interval, month, day, start, timeZone }): RuleCase => {
    const months = freq === 'FREQ=YEARLY' ? `;BYMONTH=${month}` : ''
    const rule = `${freq};INTERVAL=${interval}${months};BYMONTHDAY=${day}`
    return { rule, start, timeZone, monthEnd: 'clamp' }
  })

export const anyCase: fc.Arbitrary<RuleCase> = fc.oneof(
  { weight: 11, arbitrary: plain },
  { weight: 1, arbitrary: clamped },
)

/** What RFC 5545 has in the place of `clamp`: the last of the days up to that one. */
export function withoutClamp({ rule, monthEnd }: RuleCase): string {
  if (monthEnd === 'skip') return rule
  return rule.replace(/BYMONTHDAY=(\d+)/, (_, day: string) => {
    const days = Array.from({ length: Number(day) - 27 }, (_day, index) => 28 + index)
    return `BYMONTHDAY=${days.join()};BYSETPOS=-1`
  })
}
