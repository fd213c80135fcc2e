import { z } from 'zod'
import { timeZoneName, type WallTime } from './recurrence/wall-clock.ts'

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
    .refine((value) => min === 0 || VISIBLE.test(value), 'must contain a visible character')

/** Anything but control and format characters, blanks, fillers, marks without a letter, and others that are drawn as nothing or as a space. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

const dateTime = z.iso.datetime({ offset: true })
const wallDateTime = z.iso.datetime({ local: true })
const NOT_IN_RANGE = 'must be between 1900 and 2200'

/** Checks text that may have `t` and `z` for `T` and `Z`, as RFC 3339 allows. */
const inAnyCase = (schema: z.ZodType<string>) => (value: string, context: z.RefinementCtx) => {
  const { error, data } = schema.safeParse(value.toUpperCase())
  for (const issue of error?.issues ?? []) context.addIssue({ ...issue, continue: true })
  return data ?? z.NEVER
}

/** An RFC 3339 date-time with an offset, between the years 1900 and 2200, kept to the millisecond. */
export const instant = z
  .string()
  .meta({ format: 'date-time' })
  .transform(inAnyCase(dateTime))
  .transform((value) => new Date(value))
  .refine((value) => value.getTime() >= EARLIEST && value.getTime() < LATEST, NOT_IN_RANGE)

/** An instant, or what a clock on the wall shows: then the zone that goes with it says when that is. */
export type Moment = Date | WallTime

const wallTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/)
  .transform(inAnyCase(wallDateTime))
  .transform((value): WallTime => new Date(`${value}Z`).toISOString().slice(0, -1))
  .refine((value) => value >= '1900-01-01' && value < '2200-01-01', NOT_IN_RANGE)

const DATE_TIME = 'a date-time such as 2027-03-15T08:00:00Z, or 2027-03-15T09:00:00 in local time'

export const moment: z.ZodType<Moment> = z.union([instant, wallTime], `must be ${DATE_TIME}`)

/** Ends with its first fault: of a union, zod takes a form that goes on for the one that was meant. */
export const civilDate = z.iso
  .date({ abort: true })
  .refine((value) => value >= '1900-01-01' && value < '2200-01-01', NOT_IN_RANGE)

/** A calendar date, or a moment: the text of a wall time has a `T`, that of a date none. */
export const dateOrMoment: z.ZodType<Moment | string> = z.union([instant, wallTime, civilDate], {
  error: ({ input }) => `must be a day such as 2027-03-15, or ${DATE_TIME}${hintAtPlus(input)}`,
})

/** A + that a URL has as it is comes as a blank. */
const hintAtPlus = (input: unknown): string =>
  typeof input === 'string' && /T\S+ \d\d:\d\d$/i.test(input) ? '; in a URL a + is %2B' : ''

const ZONE = 'must be an IANA time zone such as Europe/Berlin'

export const timeZone = z
  .string()
  .max(64)
  .transform((value, context) => {
    const name = timeZoneName(value)
    if (name === null) {
      context.addIssue({ code: 'invalid_format', format: 'time_zone', input: value, message: ZONE })
    }
    return name ?? z.NEVER
  })

/** A zone, or what stands for none. */
export const timeZoneOr = <Word extends string>(word: Word) =>
  z.union([z.literal(word), timeZone], `${ZONE}, or ${word}`)

/** An instant as the API prints it: RFC 3339, milliseconds, Z. */
export const instantText = z.iso.datetime({ precision: 3 })

/** An occurrence as the API prints it: an instant, or in an all-day series a date. */
export const occurrenceText = z.union([instantText, z.iso.date()])

export const uuid = z.uuid().transform((value) => value.toLowerCase())
