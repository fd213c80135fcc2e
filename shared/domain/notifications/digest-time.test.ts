import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastDigestAt, nextDigestAt } from './digest-time.ts'

const next = (at: string, zone: string, after: string) =>
  nextDigestAt(at, zone, new Date(after)).toISOString()

describe('the digest of the day', () => {
  it.each([
    ['2026-03-02T07:59:59.999Z', '2026-03-02T08:00:00.000Z'],
    ['2026-03-02T08:00:00.000Z', '2026-03-03T08:00:00.000Z'],
    ['2026-03-02T23:59:59.999Z', '2026-03-03T08:00:00.000Z'],
  ])('after %s comes at %s', (after, at) => expect(next('08:00', 'UTC', after)).toBe(at))

  it.each([
    // Left out in Berlin on 29 March 2026: the clocks go from 02:00 to 03:00.
    ['Europe/Berlin', '02:30', '2026-03-28T12:00:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    // Twice in Berlin on 25 October 2026: the first counts, and only that one.
    ['Europe/Berlin', '02:30', '2026-10-24T12:00:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['America/New_York', '08:00', '2026-10-31T13:00:00Z', ['2026-11-01T13:00', '2026-11-02T13:00']],
    ['Australia/Lord_Howe', '02:15', '2026-10-03T00:00:00Z', ['2026-10-03T15:45', '2026-10-04T15:15']],
    // Samoa had no 30 December 2011.
    ['Pacific/Apia', '08:00', '2011-12-29T17:00:00Z', ['2011-12-29T18:00', '2011-12-30T18:00']],
  ] as const)('in %s at %s after %s comes at %j', (zone, at, after, expected) => {
    const first = nextDigestAt(at, zone, new Date(after))
    const second = nextDigestAt(at, zone, first)
    expect([first, second].map((time) => time.toISOString().slice(0, 16))).toEqual(expected)
  })

  it('comes next after it came last, wherever and whenever', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Pacific/Apia',
    ]
    const instants = fc.date({
      min: new Date('2011-01-01'),
      max: new Date('2030-01-01'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(fc.nat(23), fc.nat(59), fc.constantFrom(...zones), instants, (hour, minute, zone, now) => {
        const at = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
        const [last, coming] = [lastDigestAt(at, zone, now), nextDigestAt(at, zone, now)]
        expect(last.getTime()).toBeLessThanOrEqual(now.getTime())
        expect(coming.getTime()).toBeGreaterThan(now.getTime())
        expect(nextDigestAt(at, zone, last)).toEqual(coming)
        expect(coming.getTime() - last.getTime()).toBeLessThanOrEqual(25 * 3_600_000)
      }),
      { numRuns: 500 },
    )
  })
})
