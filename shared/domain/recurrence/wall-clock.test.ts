import { describe, expect, it } from 'vitest'
import {
  civilDate,
  instantToWall,
  lastSecondOfDay,
  startOfDay,
  timeZoneName,
  wallToInstant,
} from './wall-clock.ts'

const iso = (date: Date) => date.toISOString().replace('.000Z', 'Z')

describe('timeZoneName', () => {
  it('accepts every zone that the runtime lists', () => {
    const names = Intl.supportedValuesOf('timeZone')
    expect(names.length).toBeGreaterThan(400)
    expect(names.filter((name) => timeZoneName(name) !== name)).toEqual([])
    expect(names.filter((name) => timeZoneName(name.toLowerCase()) !== name)).toEqual([])
    expect(names.filter((name) => timeZoneName(name.toUpperCase()) !== name)).toEqual([])
  })

  it.each([
    'UTC',
    'Etc/UTC',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'US/Eastern',
    'GB',
    'Etc/GMT+5',
    'America/Port-au-Prince',
  ])('keeps the alias %s', (name) => {
    expect(timeZoneName(name)).toBe(name)
  })

  it.each([
    ['europe/berlin', 'Europe/Berlin'],
    ['EUROPE/BERLIN', 'Europe/Berlin'],
    ['america/port-AU-prince', 'America/Port-au-Prince'],
    ['asia/ho_chi_minh', 'Asia/Ho_Chi_Minh'],
    ['utc', 'UTC'],
  ])('spells %s as the database does', (name, expected) => {
    expect(timeZoneName(name)).toBe(expected)
  })

  it.each([
    '',
    'Z',
    '+01:00',
    '-0500',
    'UTC+1',
    'GMT+1',
    'PST',
    'Europe/Berlin ',
    ' UTC',
    'Mars/Phobos',
    'Factory',
    'SystemV/EST5',
    'posix/UTC',
    '../etc/passwd',
    'Europe/Berlin\u0000',
    'Europe/Berlin\n',
    '[u-ca=iso8601]',
    `A${'a'.repeat(100_000)}`,
  ])('refuses %j', (name) => {
    expect(timeZoneName(name)).toBeNull()
  })
})

describe('wallToInstant', () => {
  it.each([
    ['an ordinary time', '2026-07-01T09:00', 'Europe/Berlin', '2026-07-01T07:00:00Z'],
    [
      'a time in the spring gap: moved forward by its length',
      '2026-03-29T02:30',
      'Europe/Berlin',
      '2026-03-29T01:30:00Z',
    ],
    ['the first moment of the gap', '2026-03-29T02:00', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['a time that comes twice: the first', '2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['a gap of half an hour', '2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z'],
    ['an overlap of half an hour', '2026-04-05T01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z'],
    ['midnight that does not exist', '2018-11-04T00:00', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['a day that does not exist', '2011-12-30T09:00', 'Pacific/Apia', '2011-12-30T19:00:00Z'],
    ['a zone with an odd offset', '2026-01-01T00:00:00.250', 'Asia/Kathmandu', '2025-12-31T18:15:00.250Z'],
  ])('maps %s', (_name, wall, timeZone, expected) => {
    expect(iso(wallToInstant(wall, timeZone))).toBe(expected)
  })

  it.each(['2026-02-30T09:00', 'tomorrow', '2026-01-01T25:00', ''])('throws RangeError for %j', (wall) => {
    expect(() => wallToInstant(wall, 'UTC')).toThrow(RangeError)
  })
})

describe('instantToWall', () => {
  it('shows the same time for both instants of an overlap', () => {
    expect(instantToWall(new Date('2026-10-25T00:30:00Z'), 'Europe/Berlin')).toBe('2026-10-25T02:30:00.000')
    expect(instantToWall(new Date('2026-10-25T01:30:00.007Z'), 'Europe/Berlin')).toBe(
      '2026-10-25T02:30:00.007',
    )
  })

  it('throws RangeError for an invalid date and for an unknown zone', () => {
    expect(() => instantToWall(new Date(Number.NaN), 'UTC')).toThrow(RangeError)
    expect(() => instantToWall(new Date(0), 'Mars/Phobos')).toThrow(RangeError)
  })
})

describe('civil days', () => {
  it('gives the day that people in the zone have', () => {
    const instant = new Date('2026-11-21T23:30:00Z')
    expect(civilDate(instant, 'Pacific/Auckland')).toBe('2026-11-22')
    expect(civilDate(instant, 'America/New_York')).toBe('2026-11-21')
  })

  it.each([
    ['2026-11-21', 'Europe/Berlin', '2026-11-20T23:00:00Z', '2026-11-21T22:59:59Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z'],
    // Midnight is skipped: the day begins at 01:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-05T01:59:59Z'],
    // The day before the one that Apia left out ends where 31 December begins.
    ['2011-12-29', 'Pacific/Apia', '2011-12-29T10:00:00Z', '2011-12-30T09:59:59Z'],
  ])('bounds %s in %s', (date, timeZone, first, last) => {
    expect(iso(startOfDay(date, timeZone))).toBe(first)
    expect(iso(lastSecondOfDay(date, timeZone))).toBe(last)
  })
})
