import { describe, expect, it } from 'vitest'
import { parseSchedule } from './cron-schedule.ts'

const after = '2026-11-21T00:00:10.500Z' // a Saturday

function next(schedule: string, fields: 'six' | 'five-or-six' = 'six'): string | undefined {
  return parseSchedule(schedule, { fields })(new Date(after))?.toISOString()
}

describe('parseSchedule', () => {
  it.each([
    ['*/10 * * * * *', '2026-11-21T00:00:20.000Z'],
    ['5/15 * * * * *', '2026-11-21T00:00:20.000Z'],
    ['0 30 9 * * MON-FRI', '2026-11-23T09:30:00.000Z'],
    ['0 0 0 13 * FRI', '2026-11-27T00:00:00.000Z'],
    ['0 0 0 ? * 0', '2026-11-22T00:00:00.000Z'],
    ['@every 1h30m', '2026-11-21T01:30:10.500Z'],
    ['@every 250ms', '2026-11-21T00:00:10.750Z'],
    ['@daily', '2026-11-22T00:00:00.000Z'],
    ['@weekly', '2026-11-22T00:00:00.000Z'],
    ['@hourly', '2026-11-21T01:00:00.000Z'],
    ['CRON_TZ=Europe/Berlin 0 0 9 * * *', '2026-11-21T08:00:00.000Z'],
    ['TZ=America/New_York @daily', '2026-11-21T05:00:00.000Z'],
    ['0 0 0 30 2 *', undefined],
  ])('%s', (schedule, expected) => {
    expect(next(schedule)).toBe(expected)
  })

  it('takes five fields where they are allowed', () => {
    expect(next('30 9 * * *', 'five-or-six')).toBe('2026-11-21T09:30:00.000Z')
  })

  it.each([
    ['', 'empty spec'],
    ['* * * * *', 'expected exactly 6 fields'],
    ['60 * * * * *', 'above maximum'],
    ['0 0 0 L * *', 'failed to parse int'],
    ['0 0 0 * * 7', 'above maximum'],
    ['0 0 0 * * MON#1', 'failed to parse int'],
    ['@sometimes', 'unrecognized descriptor'],
    ['@every soon', 'failed to parse duration'],
    ['TZ=UTC', 'no schedule'],
    ['CRON_TZ=Nowhere/Land 0 0 9 * * *', 'Nowhere/Land'],
  ])('refuses "%s"', (schedule, message) => {
    expect(() => next(schedule)).toThrow(message)
  })
})
