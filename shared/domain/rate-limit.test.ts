import fc from 'fast-check'
import { expect, it } from 'vitest'
import { takeToken, type RateLimit } from './rate-limit.ts'

const LIMIT = { perSecond: 10, burst: 3 }

/** What becomes of requests at these times, in ms, out of a bucket that is full at first. */
function play(limit: RateLimit, times: readonly number[]) {
  let fullAtMs = 0
  return times.map((nowMs) => {
    const taken = takeToken(limit, fullAtMs, nowMs)
    fullAtMs = taken.fullAtMs
    return taken
  })
}

const allowed = (limit: RateLimit, times: readonly number[]) =>
  play(limit, times).map(({ isAllowed }) => isAllowed)

it('lets a burst in at once and then as many as come back in time', () => {
  expect(allowed(LIMIT, [0, 0, 0, 0, 99, 100, 100, 200])).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    false,
    true,
  ])
})

it('makes nobody wait for a clock that was set back', () => {
  expect(play(LIMIT, [3_600_000, 3_600_000, 0])[2]).toMatchObject({ isAllowed: false, waitMs: 100 })
})

it('says how many are left and how long to wait for the next', () => {
  expect(play(LIMIT, [0, 0, 0, 0])).toMatchObject([
    { remaining: 2, waitMs: 0 },
    { remaining: 1, waitMs: 0 },
    { remaining: 0, waitMs: 100 },
    { remaining: 0, waitMs: 100, isAllowed: false },
  ])
})

it('is full again after a pause, and never fuller', () => {
  expect(play(LIMIT, [0, 0, 0, 1_000_000]).at(-1)).toMatchObject({ isAllowed: true, remaining: 2 })
})

it('lets in who waits as long as it was told, whatever was refused meanwhile', () => {
  const limits = fc.record({
    perSecond: fc.integer({ min: 1, max: 1000 }),
    burst: fc.integer({ min: 1, max: 500 }),
  })
  const pauses = fc.array(fc.nat(6), { maxLength: 300 })
  fc.assert(
    fc.property(limits, pauses, (limit, waits) => {
      let nowMs = 0
      const times = waits.map((wait) => (nowMs += wait))
      const last = play(limit, times).at(-1)
      const next = last && takeToken(limit, last.fullAtMs, nowMs + last.waitMs)
      expect(next?.isAllowed ?? true).toBe(true)
    }),
  )
})

it('never lets more in than the burst and what the time brings', () => {
  const limit = { perSecond: 50, burst: 20 }
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 400 }), (waits) => {
      let nowMs = 0
      const times = waits.map((wait) => (nowMs += wait))
      const letIn = allowed(limit, times).filter(Boolean).length
      expect(letIn).toBeLessThanOrEqual(limit.burst + (nowMs * limit.perSecond) / 1000 + 1e-3)
    }),
  )
})
