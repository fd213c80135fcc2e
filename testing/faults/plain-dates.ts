/** What the oracle needs to know of a series to tell its dates. */
export interface Pattern {
  rule: string
  start: number
  timeZone: string
  monthEnd: string
  repeatFrom: string
  /** Dates, as midnight UTC: the zone says only which day a moment belongs to. */
  isAllDay: boolean
  /** The time of day, in ms after midnight, where it is not that of the start. */
  time?: number
}

const zoneOf = ({ isAllDay, timeZone }: Pattern): string => (isAllDay ? 'UTC' : timeZone)

/** Midnight UTC of the day that a moment belongs to. */
export const dayOf = (instant: number, timeZone: string): number =>
  Math.floor((instant + offsetAt(instant, timeZone)) / DAY_MS) * DAY_MS

const DAY_MS = 86_400_000
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
const MAX_DAYS = 4000

/**
 * The dates of a rule by trying every day, for the small grammar that the simulation uses. Written against RFC 5545 and
 * the platform's own time zones (Intl), sharing nothing with the engine it judges.
 */
function* datesOf(pattern: Pattern): Generator<number> {
  const parts = new Map(pattern.rule.split(';').map((part) => part.split('=') as [string, string]))
  const freq = parts.get('FREQ') ?? ''
  const interval = Number(parts.get('INTERVAL') ?? 1)
  const weekdays = parts.get('BYDAY')?.split(',')
  const until = parts.has('UNTIL') ? instantOf(parts.get('UNTIL')!) : Infinity
  const monthDay = Number(parts.get('BYMONTHDAY') ?? 0)
  const limit = Number(parts.get('COUNT') ?? Infinity)
  const timeZone = zoneOf(pattern)
  const wallStart = pattern.start + offsetAt(pattern.start, timeZone)
  const startDay = Math.floor(wallStart / DAY_MS)
  const time = namedTime(parts, pattern.time ?? wallStart - startDay * DAY_MS)
  const monday = (day: number) => Math.floor((day + 3) / 7)

  const isHit = (day: number): boolean => {
    const date = new Date(day * DAY_MS)
    const first = new Date(startDay * DAY_MS)
    const weekday = WEEKDAYS[date.getUTCDay()]!
    switch (freq) {
      case 'DAILY':
        return (day - startDay) % interval === 0
      case 'WEEKLY': {
        const days = weekdays ?? [WEEKDAYS[first.getUTCDay()]!]
        return days.includes(weekday) && (monday(day) - monday(startDay)) % interval === 0
      }
      case 'MONTHLY': {
        const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
        const wanted = monthDay || first.getUTCDate()
        return date.getUTCDate() === (pattern.monthEnd === 'clamp' ? Math.min(wanted, last) : wanted)
      }
      default:
        throw new Error(`the oracle does not know ${pattern.rule}`)
    }
  }

  let count = 0
  for (let day = startDay; day < startDay + MAX_DAYS; day += 1) {
    if (!isHit(day)) continue
    const wall = day * DAY_MS + time
    const instant = wall === wallStart ? pattern.start : toInstant(wall, timeZone)
    if (instant < pattern.start) continue
    if (instant > until) return
    yield instant
    count += 1
    if (count === limit) return
  }
}

/** BYHOUR and BYMINUTE, one of each at most. */
function namedTime(parts: ReadonlyMap<string, string>, time: number): number {
  const hour = Number(parts.get('BYHOUR') ?? Math.floor(time / 3_600_000))
  const minute = Number(parts.get('BYMINUTE') ?? Math.floor((time % 3_600_000) / 60_000))
  return (hour * 60 + minute) * 60_000 + (time % 60_000)
}

/** The first date after a moment that is free, or null. */
export function firstAfter(
  pattern: Pattern,
  after: number,
  isFree: (date: number) => boolean,
): number | null {
  for (const date of datesOf(pattern)) if (date > after && isFree(date)) return date
  return null
}

/** Dates later than `after` up to `through`. */
export function datesWithin(pattern: Pattern, after: number, through: number): number[] {
  const found: number[] = []
  for (const date of datesOf(pattern)) {
    if (date > through) break
    if (date > after) found.push(date)
  }
  return found
}

/** The series as it begins anew on the day of a completion, at its own time of day and without COUNT. */
export function fromCompletion(pattern: Pattern, completedAt: number): Pattern {
  const timeZone = zoneOf(pattern)
  const parts = new Map(pattern.rule.split(';').map((part) => part.split('=') as [string, string]))
  const time = namedTime(parts, (pattern.start + offsetAt(pattern.start, timeZone)) % DAY_MS)
  const rule = pattern.rule.replace(/;COUNT=\d+/, '')
  return { ...pattern, rule, time, start: toInstant(dayOf(completedAt, timeZone) + time, timeZone) }
}

/** The instant of a time on the wall: the first when it comes twice, moved on by the gap when it is left out. */
function toInstant(wall: number, timeZone: string): number {
  const before = wall - offsetAt(wall - DAY_MS, timeZone)
  const after = wall - offsetAt(wall + DAY_MS, timeZone)
  const shows = (instant: number) => instant + offsetAt(instant, timeZone) === wall
  const fitting = [before, after].filter(shows)
  return fitting.length > 0 ? Math.min(...fitting) : before
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds by which the clocks of a zone are ahead of UTC. */
function offsetAt(instant: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0
  let format = formats.get(timeZone)
  if (!format)
    formats.set(timeZone, (format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })))
  const name = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')!.value
  const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name)!
  return sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0
}

const instantOf = (text: string): number =>
  text.length === 'YYYYMMDD'.length
    ? Date.parse(text.replace(/^(....)(..)(..)$/, '$1-$2-$3')) + DAY_MS - 1
    : instantOfTime(text)

const instantOfTime = (text: string): number =>
  Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
