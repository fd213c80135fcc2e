import { Cron } from 'croner'
import { parseGoDuration } from '../durations.ts'

/** The next instant strictly after `after`, or null when the schedule has no more. */
export type Schedule = (after: Date) => Date | null

const DESCRIPTORS: Record<string, string> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
}
const HIGHEST = [59, 59, 23, 31, 12, 6]
const FIELD = /^(?:\*|\?|\d+|[A-Z]{3})(?:-(?:\d+|[A-Z]{3}))?(?:\/\d+)?$/i

/**
 * Dapr's schedules (dapr/kit cron): six fields with seconds, five where `fields` allows it, `@every <Go duration>`,
 * `@daily` and its like, with an optional `CRON_TZ=<zone> ` or `TZ=<zone> `. Without a zone the fields are UTC, as in
 * the scheduler's container. Throws an Error whose message says what is wrong.
 */
export function parseSchedule(text: string, { fields }: { fields: 'six' | 'five-or-six' }): Schedule {
  const zoned = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/.exec(text)
  if (!zoned && /^(?:CRON_)?TZ=/.test(text)) throw new Error(`no schedule after the time zone: ${text}`)
  const timezone = zoned?.[1] ?? 'UTC'
  const spec = (zoned?.[2] ?? text).trim()
  if (spec === '') throw new Error('empty spec string')

  if (spec.startsWith('@every ')) {
    const every = parseGoDuration(spec.slice('@every '.length))
    if (every === null || every < 1) throw new Error(`failed to parse duration ${spec}`)
    return (after) => new Date(after.getTime() + every)
  }
  if (spec.startsWith('@') && !DESCRIPTORS[spec]) throw new Error(`unrecognized descriptor: ${spec}`)

  const parts = (DESCRIPTORS[spec] ?? spec).split(/\s+/)
  if (parts.length === 5 && fields === 'five-or-six') parts.unshift('0')
  if (parts.length !== 6)
    throw new Error(`expected exactly 6 fields, found ${parts.length}: [${parts.join(' ')}]`)
  const cron = new Cron(parts.map(normalizeField).join(' '), { timezone, mode: '6-part' })
  cron.nextRun()
  return (after) => cron.nextRun(after)
}

// croner knows more (L, W, #, Sunday as 7) and less (`5/15`) than Dapr: what Dapr refuses is refused here.
function normalizeField(field: string, index: number): string {
  return field
    .split(',')
    .map((range) => {
      if (!FIELD.test(range)) throw new Error(`failed to parse int from ${range}`)
      if (/\d+/g.exec(range) && Number(/\d+/.exec(range)![0]) > HIGHEST[index]!) {
        throw new Error(`end of range above maximum (${HIGHEST[index]}): ${range}`)
      }
      return range.replace(/^\?/, '*').replace(/^(\d+)\//, `$1-${HIGHEST[index]}/`)
    })
    .join(',')
}
