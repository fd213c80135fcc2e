import { z } from 'zod'
import { isTimeZone } from './wall-clock.ts'

const EARLIEST = Date.parse('1900-01-01T00:00:00Z')
const LATEST = Date.parse('2200-01-01T00:00:00Z')

/** Text that PostgreSQL can hold: no NUL and no half of a surrogate pair. Trimmed; length in code points. */
export const text = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine(
      (value) => !value.includes('\u0000') && value.isWellFormed(),
      'must not contain NUL or broken Unicode',
    )

/** An RFC 3339 date-time with an offset, between the years 1900 and 2200, kept to the millisecond. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .refine(
    (value) => value.getTime() >= EARLIEST && value.getTime() < LATEST,
    'must lie between 1900 and 2200',
  )

/** A calendar date without a time (RFC 3339 full-date). */
export const civilDate = z.iso
  .date()
  .refine((value) => value >= '1900-01-01' && value < '2200-01-01', 'must lie between 1900 and 2200')

/** An IANA time zone name such as `Europe/Berlin`. */
export const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')

/** An instant as the API prints it: RFC 3339, milliseconds, Z. */
export const instantText = z.iso.datetime({ precision: 3 })

export const uuid = z.uuid().transform((value) => value.toLowerCase())
