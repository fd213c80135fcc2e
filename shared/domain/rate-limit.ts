/** A token bucket: `burst` requests at once, `perSecond` in the long run. */
export interface RateLimit {
  perSecond: number
  burst: number
}

export interface Taken {
  isAllowed: boolean
  /** When the bucket will be full again, in ms: all that has to be remembered of it. */
  fullAtMs: number
  /** How many more requests it would let in at once. */
  remaining: number
  /** Until the next request is let in; 0 when that is now. */
  waitMs: number
}

/** Of a token: times are sums of fractions, and who waited exactly long enough must get in. */
const ROUNDING = 1e-6

/**
 * Takes a token out of the bucket that would be full at `fullAtMs` (the generic cell rate algorithm: a bucket is one
 * number). What is refused takes nothing, so who waits as long as it was told gets in.
 */
export function takeToken({ perSecond, burst }: RateLimit, fullAtMs: number, nowMs: number): Taken {
  const tokenMs = 1000 / perSecond
  // A clock that was set back makes nobody wait longer than an empty bucket does.
  const missing = Math.min(burst, Math.max(0, fullAtMs - nowMs) / tokenMs)
  const isAllowed = missing + 1 <= burst + ROUNDING
  const left = burst - missing - (isAllowed ? 1 : 0)
  return {
    isAllowed,
    fullAtMs: nowMs + (burst - left) * tokenMs,
    remaining: Math.max(0, Math.floor(left)),
    waitMs: left >= 1 ? 0 : Math.ceil((1 - left) * tokenMs),
  }
}
