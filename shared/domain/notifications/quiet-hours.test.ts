import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QuietHours } from './notification-preferences.ts'
import { quietUntil } from './quiet-hours.ts'
import { instantToWall } from '../recurrence/wall-clock.ts'

const NIGHT = '22:00-07:00'
const quiet = (text: string): QuietHours => ({ start: text.slice(0, 5), end: text.slice(6) })
const until = (hours: string, timeZone: string, now: string) =>
  quietUntil(quiet(hours), timeZone, new Date(now))?.toISOString() ?? null

describe('quiet hours', () => {
  it('are none when there are none', () => {
    expect(quietUntil(null, 'UTC', new Date('2026-03-02T23:00:00Z'))).toBe(null)
    expect(until('22:00-22:00', 'UTC', '2026-03-02T22:00:00Z')).toBe(null)
  })

  it.each([
    ['22:00-07:00', '02T21:59:59.999', null],
    ['22:00-07:00', '02T22:00:00.000', '03T07:00'],
    ['22:00-07:00', '02T23:59:59.999', '03T07:00'],
    ['22:00-07:00', '02T00:00:00.000', '02T07:00'],
    ['22:00-07:00', '02T06:59:59.999', '02T07:00'],
    ['22:00-07:00', '02T07:00:00.000', null],
    ['22:00-07:00', '02T12:00:00.000', null],
    ['13:00-14:30', '02T12:59:00.000', null],
    ['13:00-14:30', '02T13:00:00.000', '02T14:30'],
    ['13:00-14:30', '02T14:29:00.000', '02T14:30'],
    ['13:00-14:30', '02T14:30:00.000', null],
    ['13:00-14:30', '02T00:00:00.000', null],
    ['00:00-06:00', '02T00:00:00.000', '02T06:00'],
    ['20:00-00:00', '02T23:59:00.000', '03T00:00'],
    ['07:01-07:00', '02T07:00:30.000', null],
    ['07:01-07:00', '02T07:01:00.000', '03T07:00'],
    ['07:01-07:00', '02T06:59:00.000', '02T07:00'],
  ])('%s on March %s last until %s', (hours, now, end) => {
    expect(until(hours, 'UTC', `2026-03-${now}Z`)).toBe(end && `2026-03-${end}:00.000Z`)
  })

  it.each([
    ['Europe/Berlin', '2026-03-02T06:00:00.000Z'],
    ['America/New_York', '2026-03-02T12:00:00.000Z'],
    ['Asia/Kolkata', '2026-03-03T01:30:00.000Z'],
    ['Pacific/Kiritimati', null],
  ])('are those of the zone: the same instant in %s is quiet until %s', (timeZone, end) => {
    const now = timeZone === 'Asia/Kolkata' ? '2026-03-02T20:00:00Z' : '2026-03-02T04:00:00Z'
    expect(until(NIGHT, timeZone, now)).toBe(end)
  })

  it('end at once when their user moves to a zone where it is day', () => {
    const now = '2026-03-02T02:00:00Z'
    expect(until(NIGHT, 'UTC', now)).toBe('2026-03-02T07:00:00.000Z')
    expect(until(NIGHT, 'Asia/Tokyo', now)).toBe(null)
  })

  it.each([
    // Spring: the night is an hour shorter.
    ['Europe/Berlin', '2026-03-28T21:00:00Z', '2026-03-29T05:00:00.000Z'],
    ['America/New_York', '2026-03-08T03:00:00Z', '2026-03-08T11:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-03T20:00:00.000Z'],
    // Autumn: an hour longer.
    ['Europe/Berlin', '2026-10-24T20:00:00Z', '2026-10-25T06:00:00.000Z'],
    ['America/New_York', '2026-11-01T02:00:00Z', '2026-11-01T12:00:00.000Z'],
  ])('follow the clocks on the wall through a change in %s, from %s until %s', (timeZone, now, end) => {
    expect(until(NIGHT, timeZone, now)).toBe(end)
    const last = new Date(Date.parse(end) - 1).toISOString()
    expect([until(NIGHT, timeZone, last), until(NIGHT, timeZone, end)]).toEqual([end, null])
  })

  // In Berlin 02:00 becomes 03:00 at 01:00Z on 29 March 2026, and 03:00 becomes 02:00 at 01:00Z on 25 October 2026.
  it.each([
    ['end where the clocks pass over their end', '22:00-02:30', '03-29T00:59', '03-29T01:00'],
    ['are over when the clocks have passed over their end', '22:00-02:30', '03-29T01:00', null],
    ['have not begun before the clocks pass over their start', '02:30-07:00', '03-29T00:59', null],
    ['begin where the clocks pass over their start', '02:30-07:00', '03-29T01:00', '03-29T05:00'],
    ['are left out with all that the clocks pass over', '02:10-02:50', '03-29T01:15', null],
    ['last until the clocks show their end again', '22:00-02:30', '10-25T00:29', '10-25T01:30'],
    ['hold when the clocks are back before their end', '22:00-02:30', '10-25T01:29', '10-25T01:30'],
    ['are over when the clocks show their end again', '22:00-02:30', '10-25T01:30', null],
    ['begin the first time that the clocks show their start', '02:30-07:00', '10-25T00:30', '10-25T06:00'],
    ['go on when the clocks are back before their start', '02:30-07:00', '10-25T01:10', '10-25T06:00'],
  ])('%s: %s at %s', (_, hours, now, end) => {
    expect(until(hours, 'Europe/Berlin', `2026-${now}:00Z`)).toBe(end && `2026-${end}:00.000Z`)
  })

  it.each([
    // 02:00 becomes 03:00, at 01:00Z in Berlin and at 07:00Z in New York.
    ['Europe/Berlin', '22:00-02:30', '2027-03-28T00:59', '2027-03-28T01:00'],
    ['Europe/Berlin', '02:30-07:00', '2027-03-28T01:00', '2027-03-28T05:00'],
    ['America/New_York', '22:00-02:30', '2027-03-14T06:59', '2027-03-14T07:00'],
    ['America/New_York', '22:00-02:30', '2027-03-14T07:00', null],
    ['America/New_York', '02:30-07:00', '2027-03-14T06:59', null],
    ['America/New_York', '02:30-07:00', '2027-03-14T07:00', '2027-03-14T11:00'],
    // 02:00 becomes 01:00 at 06:00Z.
    ['America/New_York', '22:00-01:30', '2026-11-01T05:45', '2026-11-01T06:30'],
    ['America/New_York', '22:00-01:30', '2026-11-01T06:30', null],
    ['America/New_York', '01:30-07:00', '2026-11-01T05:29', null],
    ['America/New_York', '01:30-07:00', '2026-11-01T05:30', '2026-11-01T12:00'],
    // Half an hour: 02:00 becomes 02:30 at 15:30Z, and 01:30 at 15:00Z.
    ['Australia/Lord_Howe', '22:00-02:15', '2026-10-03T15:29', '2026-10-03T15:30'],
    ['Australia/Lord_Howe', '22:00-02:15', '2026-10-03T15:30', null],
    ['Australia/Lord_Howe', '02:15-07:00', '2026-10-03T15:29', null],
    ['Australia/Lord_Howe', '02:15-07:00', '2026-10-03T15:30', '2026-10-03T20:00'],
    ['Australia/Lord_Howe', '22:00-01:45', '2027-04-03T14:50', '2027-04-03T15:15'],
    ['Australia/Lord_Howe', '22:00-01:45', '2027-04-03T15:15', null],
    ['Australia/Lord_Howe', '01:45-07:00', '2027-04-03T14:44', null],
    ['Australia/Lord_Howe', '01:45-07:00', '2027-04-03T14:45', '2027-04-03T20:30'],
    // No midnight: 24:00 is 01:00, at 04:00Z in Santiago and at 22:00Z in Cairo.
    ['America/Santiago', '22:00-00:00', '2026-09-06T03:59', '2026-09-06T04:00'],
    ['America/Santiago', '22:00-00:00', '2026-09-06T04:00', null],
    ['America/Santiago', '00:00-07:00', '2026-09-06T03:59', null],
    ['America/Santiago', '00:00-07:00', '2026-09-06T04:00', '2026-09-06T10:00'],
    ['Africa/Cairo', '22:00-00:30', '2027-04-29T21:59', '2027-04-29T22:00'],
    ['Africa/Cairo', '00:30-07:00', '2027-04-29T22:00', '2027-04-30T04:00'],
    // 24:00 is 23:00 again, at 03:00Z.
    ['America/Santiago', '20:00-23:30', '2027-04-04T02:45', '2027-04-04T03:30'],
    ['America/Santiago', '22:00-00:00', '2027-04-04T03:59', '2027-04-04T04:00'],
    ['America/Santiago', '23:30-07:00', '2027-04-04T02:30', '2027-04-04T11:00'],
  ])('whose edge the clocks leave out or show twice, in %s, %s: at %s until %s', (zone, hours, now, end) => {
    expect(until(hours, zone, `${now}:00Z`)).toBe(end && `${end}:00.000Z`)
  })

  it('end on the day after next where the clocks leave a day out', () => {
    // Samoa had no 30 December 2011.
    expect(until(NIGHT, 'Pacific/Apia', '2011-12-30T09:00:00Z')).toBe('2011-12-30T17:00:00.000Z')
  })

  const clock = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`)
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Asia/Kathmandu',
  ]
  const instants = fc.date({
    min: new Date('2025-01-01T00:00:00Z'),
    max: new Date('2028-01-01T00:00:00Z'),
    noInvalidDate: true,
  })

  it('hold exactly what the clock on the wall shows between start and end, except about a change of the clocks', () => {
    const offset = (instant: Date, zone: string) =>
      Date.parse(`${instantToWall(instant, zone)}Z`) - instant.getTime()
    const around = (now: Date, zone: string) =>
      [-36, 0, 36].map((h) => offset(new Date(now.getTime() + h * 3_600_000), zone))
    fc.assert(
      fc.property(clock, clock, fc.constantFrom(...zones), instants, (start, end, zone, now) => {
        fc.pre(start !== end && new Set(around(now, zone)).size === 1)
        const time = instantToWall(now, zone).slice(11)
        const isQuiet = start < end ? time >= start && time < end : time >= start || time < end
        const over = quietUntil({ start, end }, zone, now)
        expect(over !== null).toBe(isQuiet)
        if (over) expect(instantToWall(over, zone).slice(11, 16)).toBe(end)
      }),
      { numRuns: 500 },
    )
  })

  it('hold at every instant at which the clock on the wall shows a time of theirs', () => {
    const changes = [
      ['Europe/Berlin', '2026-03-29T01:00:00Z'],
      ['Europe/Berlin', '2026-10-25T01:00:00Z'],
      ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
      ['America/St_Johns', '2026-11-01T04:30:00Z'],
      ['Africa/Cairo', '2026-04-23T22:00:00Z'],
    ] as const
    fc.assert(
      fc.property(
        clock,
        clock,
        fc.constantFrom(...changes),
        fc.integer({ min: -300, max: 300 }),
        (start, end, [zone, change], m) => {
          fc.pre(start !== end)
          const now = new Date(Date.parse(change) + m * 60_000)
          const time = instantToWall(now, zone).slice(11, 16)
          const isQuiet = start < end ? time >= start && time < end : time >= start || time < end
          const over = quietUntil({ start, end }, zone, now)
          expect(!isQuiet || (over !== null && over > now)).toBe(true)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('end for all that they hold at the same instant, after which nothing is held', () => {
    fc.assert(
      fc.property(
        fc.tuple(clock, clock),
        fc.constantFrom(...zones),
        instants,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ([start, end], zone, now, share) => {
          // With less between two nights than a change of the clocks takes, one night goes over into the next.
          fc.pre((minutes(start) - minutes(end) + 1440) % 1440 > 60)
          const over = quietUntil({ start, end }, zone, now)
          if (!over) return
          expect(over.getTime()).toBeGreaterThan(now.getTime())
          expect(over.getTime() - now.getTime()).toBeLessThanOrEqual(26 * 3_600_000)
          const later = new Date(now.getTime() + Math.floor((over.getTime() - now.getTime()) * share * 0.999))
          expect(quietUntil({ start, end }, zone, later)).toEqual(over)
          expect(quietUntil({ start, end }, zone, over)).toBe(null)
        },
      ),
      { numRuns: 500 },
    )
  })
})
