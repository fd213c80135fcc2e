import { Temporal } from 'temporal-polyfill'

/** What a clock on the wall shows, without zone or offset: ISO 8601 `2026-03-29T02:30:00.000`, seconds optional on input. */
export type WallTime = string

/**
 * True for an IANA zone name in the spelling of the time zone database, old aliases included (`Asia/Calcutta`).
 * Offsets, abbreviations of the platform, other cases and junk are refused.
 */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+\-/]{1,63}$/.test(text)) return false
  try {
    return new Temporal.ZonedDateTime(0n, text).timeZoneId === text
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
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

/** The first instant of a civil day `YYYY-MM-DD`: not always midnight, some zones change their clocks then. */
export function startOfDay(date: string, timeZone: string): Date {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds)
}

/** The last second of a civil day `YYYY-MM-DD` in a zone. */
export function lastSecondOfDay(date: string, timeZone: string): Date {
  const next = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(timeZone)
  return new Date(next.epochMilliseconds - 1000)
}

/** The civil day `YYYY-MM-DD` of an instant in a zone. */
export function civilDate(instant: Date, timeZone: string): string {
  return zoned(instant, timeZone).toPlainDate().toString()
}

function zoned(instant: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone)
}
