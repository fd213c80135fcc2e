import { describe, expect, it } from 'vitest'
import { parseGoDuration, parsePointInTime, parseProtoDuration } from './durations.ts'

describe('parseGoDuration', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['100us', 0.1],
    ['0', 0],
    ['-2s', -2000],
    ['', null],
    ['5', null],
    ['1d', null],
    ['1h 30m', null],
  ])('%s', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms)
  })
})

describe('parseProtoDuration', () => {
  it.each([
    ['3s', 3000],
    ['0.5s', 500],
    ['1m', null],
    ['3', null],
  ])('%s', (text, ms) => {
    expect(parseProtoDuration(text)).toBe(ms)
  })
})

describe('parsePointInTime', () => {
  const base = new Date('2026-01-31T12:00:00Z')

  it.each([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01T09:00:00+02:00', '2026-12-01T07:00:00.000Z'],
    ['2026-12-01T09:00:00.123Z', '2026-12-01T09:00:00.123Z'],
    ['10m', '2026-01-31T12:10:00.000Z'],
    ['P1DT2H', '2026-02-01T14:00:00.000Z'],
    ['PT0.5S', undefined],
    ['tomorrow', undefined],
    ['2026-13-01T00:00:00Z', undefined],
  ])('%s', (text, expected) => {
    expect(parsePointInTime(text, base)?.toISOString()).toBe(expected)
  })

  it('is never before the instant, whose digits may be finer than a millisecond', () => {
    expect(parsePointInTime('2026-12-01T09:00:00.0000001Z', base)?.toISOString()).toBe(
      '2026-12-01T09:00:00.001Z',
    )
  })
})
