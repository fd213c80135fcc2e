import { Temporal } from 'temporal-polyfill'
import { civilDate, wallToInstant } from '../recurrence/wall-clock.ts'

/**
 * When the digest of the day comes next, after an instant: `at` is `HH:MM` by the clock on the wall. Every day has one,
 * also when its clock passes over that time (then later by as much) or shows it twice (then the first).
 */
export const nextDigestAt = (at: string, timeZone: string, after: Date): Date =>
  digestTimes(at, timeZone, after).find((time) => time > after)!

export const lastDigestAt = (at: string, timeZone: string, now: Date): Date =>
  digestTimes(at, timeZone, now).findLast((time) => time <= now)!

/** Of the days around an instant, in order: two each way, for a zone that changes sides of the date line leaves one out. */
function digestTimes(at: string, timeZone: string, instant: Date): Date[] {
  const today = Temporal.PlainDate.from(civilDate(instant, timeZone))
  return [-2, -1, 0, 1, 2].map((days) => wallToInstant(`${today.add({ days }).toString()}T${at}`, timeZone))
}
