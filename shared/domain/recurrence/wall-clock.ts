import { Temporal } from 'temporal-polyfill'
import { DAY_MS } from '../durations.ts'

/** What a clock on the wall shows, without zone or offset: ISO 8601 `2026-03-29T02:30:00.000`, seconds optional on input. */
export type WallTime = string

/**
 * An IANA zone name in any case, in the spelling of the time zone database; null for offsets, abbreviations of the platform
 * and junk. An alias stays what it is: what Intl makes of `Asia/Kolkata` and `Europe/Kyiv` are their former names.
 */
export function timeZoneName(text: string): string | null {
  if (!/^(?!systemv\/)[a-z][a-z0-9_+\-/]{1,63}$/i.test(text)) return null
  try {
    return new Temporal.ZonedDateTime(0n, text).timeZoneId
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** The instant itself, or that of a wall time in a zone; null of null. */
export function instantOf(moment: Date | WallTime, timeZone: string): Date
export function instantOf(moment: Date | WallTime | null, timeZone: string): Date | null
export function instantOf(moment: Date | WallTime | null, timeZone: string): Date | null {
  return typeof moment === 'string' ? wallToInstant(moment, timeZone) : moment
}

/**
 * The instant at which the clocks of a zone show `wall`. A time that a spring change leaves out moves forward by the length
 * of the gap, a time that comes twice is the first (RFC 5545 §3.3.5). RangeError for junk or an unknown zone.
 */
export function wallToInstant(wall: WallTime, timeZone: string): Date {
  const local = Temporal.PlainDateTime.from(wall, { overflow: 'reject' })
  return new Date(local.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds)
}

/** What the clocks of a zone show at an instant, to the millisecond. RangeError for an invalid date or an unknown zone. */
export function instantToWall(instant: Date, timeZone: string): WallTime {
  return zoned(instant, timeZone).toPlainDateTime().toString({ smallestUnit: 'millisecond' })
}

/** The same as if it were UTC, in ms since 1970-01-01: such times have distances that people count in. */
export const wallMs = (instant: Date, timeZone: string): number =>
  Date.parse(`${instantToWall(instant, timeZone)}Z`)

/** The way back: {@link wallToInstant} of a time that {@link wallMs} has given, or of one some way from it. */
export const wallMsToInstant = (ms: number, timeZone: string): Date =>
  wallToInstant(new Date(ms).toISOString().slice(0, -1), timeZone)

/** The first instant of a civil day `YYYY-MM-DD`: not always midnight, some zones change their clocks then. */
export function startOfDay(date: string, timeZone: string): Date {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds)
}

/** The instant from which a filter counts: of a date the first of that day, of a wall time that which it is in the zone. */
export function beginningOf(asked: Date | WallTime | undefined, timeZone: string): Date | null {
  if (asked === undefined) return null
  const isDate = typeof asked === 'string' && !asked.includes('T')
  return isDate ? startOfDay(asked, timeZone) : instantOf(asked, timeZone)
}

export function lastSecondOfDay(date: string, timeZone: string): Date {
  const next = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(timeZone)
  return new Date(next.epochMilliseconds - 1000)
}

export function civilDate(instant: Date, timeZone: string): string {
  return zoned(instant, timeZone).toPlainDate().toString()
}

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10)

function zoned(instant: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone)
}
