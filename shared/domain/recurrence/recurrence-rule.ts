const FREQUENCIES = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const
export type Frequency = (typeof FREQUENCIES)[number]

export const MAX_PERIOD_DAYS: Readonly<Record<Frequency, number>> = {
  HOURLY: 1,
  DAILY: 1,
  WEEKLY: 7,
  MONTHLY: 31,
  YEARLY: 366,
}

export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/** `MO`, or numbered within the month or year: `1MO` the first Monday, `-1FR` the last Friday. */
export type ByDay = Weekday | `${number}${Weekday}`

/** What happens to a day 29 to 31 in a month that lacks it: it becomes the last day, or is left out as in RFC 5545. */
export const MONTH_ENDS = ['clamp', 'skip'] as const
export type MonthEnd = (typeof MONTH_ENDS)[number]

/** The part of RFC 5545 §3.3.10 that Daybook accepts. Lists are ascending and without duplicates. */
export interface RecurrenceRule {
  freq: Frequency
  interval: number
  byMonth?: readonly number[]
  /** 1 to 31, or -31 to -1 counted from the end of the month. */
  byMonthDay?: readonly number[]
  byDay?: readonly ByDay[]
  byHour?: readonly number[]
  byMinute?: readonly number[]
  /** Which of the occurrences found in one period count: 1 is the first, -1 the last. At most as many as a period can have. */
  bySetPos?: readonly number[]
  wkst?: Weekday
  count?: number
  /** RFC 5545 text: `20261231T225959Z`, local `20261231T235959` or `20261231`, which includes that whole day. */
  until?: string
}

/** A rule that cannot be used. `part` is the RRULE part to blame, `RRULE` for the text as a whole. */
export class RecurrenceError extends Error {
  readonly code: 'recurrence.invalid_part' | 'recurrence.unsupported_part'
  readonly part: string
  constructor(code: RecurrenceError['code'], part: string, message: string) {
    super(message)
    this.name = 'RecurrenceError'
    this.code = code
    this.part = part
  }
}

const MAX_RULE_LENGTH = 500
const MAX_INTERVAL = 999
const MAX_COUNT = 1000
const MAX_TIMES = 48

const SHORTHANDS: Readonly<Record<string, RecurrenceRule>> = {
  DAILY: { freq: 'DAILY', interval: 1 },
  WEEKLY: { freq: 'WEEKLY', interval: 1 },
  MONTHLY: { freq: 'MONTHLY', interval: 1 },
  YEARLY: { freq: 'YEARLY', interval: 1 },
  WEEKDAYS: { freq: 'WEEKLY', interval: 1, byDay: ['MO', 'TU', 'WE', 'TH', 'FR'] },
}

/**
 * Reads an RRULE value in any case, with or without `RRULE:`, or a shorthand: daily, weekly, monthly, yearly, weekdays.
 * Blanks, empty parts and `X-` parts are passed over, as other readers do. `monthEnd` is what the text says of short months:
 * by SKIP (RFC 7529), or by being `monthly` or `yearly`; null when it says nothing. Throws RecurrenceError.
 */
export function parseRule(text: string): { rule: RecurrenceRule; monthEnd: MonthEnd | null } {
  if (text.length > MAX_RULE_LENGTH)
    throw invalid('RRULE', `must be at most ${MAX_RULE_LENGTH} characters long`)
  const value = text
    .replaceAll(/[\t\n\r ]+/g, '')
    .toUpperCase()
    .replace(/^RRULE:/, '')
  const shorthand = Object.hasOwn(SHORTHANDS, value) ? SHORTHANDS[value] : undefined
  if (shorthand) {
    return { rule: { ...shorthand }, monthEnd: value === 'MONTHLY' || value === 'YEARLY' ? 'clamp' : null }
  }
  const rule: RuleText = {}
  const seen = new Set<string>()
  for (const part of value.split(';').filter((one) => one !== '')) {
    const [, name, content] = /^([A-Z][A-Z-]{0,29})=(.+)$/.exec(part) ?? []
    if (name === undefined || content === undefined) {
      throw invalid(
        'RRULE',
        'must be parts such as FREQ=WEEKLY;BYDAY=MO, or one of daily, weekly, monthly, yearly, weekdays',
      )
    }
    if (seen.has(name)) throw invalid(name, 'may be given only once')
    seen.add(name)
    if (!name.startsWith('X-')) readPart(rule, name, content)
  }
  const { skip, ...parts } = rule
  return { rule: checked(parts), monthEnd: skip ? monthEndOf(skip, parts) : null }
}

type RuleText = Partial<RecurrenceRule> & { skip?: string }

/** SKIP=FORWARD, the day after a short month, is not offered; it matters to months and years alone. */
function monthEndOf(skip: string, { freq }: Partial<RecurrenceRule>): MonthEnd {
  if (skip === 'FORWARD' && (freq === 'MONTHLY' || freq === 'YEARLY')) {
    throw unsupported('SKIP', 'cannot be FORWARD, only OMIT or BACKWARD')
  }
  return skip === 'BACKWARD' ? 'clamp' : 'skip'
}

/** The canonical RRULE value, without `RRULE:`. `parseRule` of it gives the same rule again. */
export function formatRule(rule: RecurrenceRule): string {
  const parts = [`FREQ=${rule.freq}`]
  if (rule.interval !== 1) parts.push(`INTERVAL=${rule.interval}`)
  if (rule.byMonth) parts.push(`BYMONTH=${rule.byMonth.join()}`)
  if (rule.byMonthDay) parts.push(`BYMONTHDAY=${rule.byMonthDay.join()}`)
  if (rule.byDay) parts.push(`BYDAY=${rule.byDay.join()}`)
  if (rule.byHour) parts.push(`BYHOUR=${rule.byHour.join()}`)
  if (rule.byMinute) parts.push(`BYMINUTE=${rule.byMinute.join()}`)
  if (rule.bySetPos) parts.push(`BYSETPOS=${rule.bySetPos.join()}`)
  if (rule.wkst) parts.push(`WKST=${rule.wkst}`)
  if (rule.count !== undefined) parts.push(`COUNT=${rule.count}`)
  if (rule.until !== undefined) parts.push(`UNTIL=${rule.until}`)
  return parts.join(';')
}

/** Splits `-1FR` into its number (0 when plain) and its weekday (0 is Monday). */
export function splitByDay(byDay: ByDay): { nth: number; weekday: number } {
  return { nth: Number(byDay.slice(0, -2)), weekday: WEEKDAYS.indexOf(byDay.slice(-2) as Weekday) }
}

function readPart(rule: RuleText, name: string, content: string): void {
  switch (name) {
    case 'FREQ':
      rule.freq = frequency(content)
      return
    case 'INTERVAL':
      rule.interval = wholeNumber(name, content, MAX_INTERVAL)
      return
    case 'COUNT':
      rule.count = wholeNumber(name, content, MAX_COUNT)
      return
    case 'UNTIL':
      rule.until = untilText(content)
      return
    case 'WKST':
      if (!isWeekday(content)) throw invalid(name, 'must be one of MO, TU, WE, TH, FR, SA, SU')
      if (content === 'MO') delete rule.wkst
      else rule.wkst = content
      return
    case 'BYMONTH':
      rule.byMonth = wholeNumbers(name, content, 1, 12)
      return
    case 'BYHOUR':
      rule.byHour = wholeNumbers(name, content, 0, 23)
      return
    case 'BYMINUTE':
      rule.byMinute = wholeNumbers(name, content, 0, 59)
      return
    case 'BYMONTHDAY':
      rule.byMonthDay = signedNumbers(name, content, 31)
      return
    case 'BYSETPOS':
      rule.bySetPos = signedNumbers(name, content, 366)
      return
    case 'BYDAY':
      rule.byDay = weekdays(content)
      return
    case 'RSCALE':
      if (content !== 'GREGORIAN') throw unsupported(name, 'can only be GREGORIAN')
      return
    case 'SKIP':
      if (!['OMIT', 'BACKWARD', 'FORWARD'].includes(content)) {
        throw invalid(name, 'must be OMIT, BACKWARD or FORWARD')
      }
      rule.skip = content
      return
    default:
      throw unsupported(name, 'is not supported')
  }
}

function checked(rule: Partial<RecurrenceRule>): RecurrenceRule {
  const { freq, byDay } = rule
  if (!freq) throw invalid('FREQ', 'is missing')
  if (rule.count !== undefined && rule.until !== undefined)
    throw invalid('UNTIL', 'cannot be combined with COUNT')
  if (freq === 'WEEKLY' && rule.byMonthDay) throw invalid('BYMONTHDAY', 'cannot be used with FREQ=WEEKLY')
  const { byHour, byMinute, bySetPos, interval = 1 } = rule
  const minutes = byMinute?.length ?? 1
  const times = (byHour?.length ?? (freq === 'HOURLY' ? Math.ceil(24 / interval) : 1)) * minutes
  if (times > MAX_TIMES) {
    throw invalid(byMinute ? 'BYMINUTE' : 'BYHOUR', `makes more than ${MAX_TIMES} occurrences a day`)
  }
  if (bySetPos) {
    const most = Math.min(freq === 'HOURLY' ? minutes : MAX_PERIOD_DAYS[freq] * times, 366)
    if (bySetPos.some((position) => Math.abs(position) > most)) {
      throw invalid('BYSETPOS', `can be at most ${most} with FREQ=${freq} and the other parts`)
    }
    if (!byDay && !rule.byMonth && !rule.byMonthDay && !byHour && !byMinute) {
      throw invalid('BYSETPOS', 'needs another BY part beside it')
    }
  }
  const highest = byDay ? Math.max(...byDay.map((day) => Math.abs(splitByDay(day).nth))) : 0
  if (highest > 0 && freq !== 'MONTHLY' && freq !== 'YEARLY') {
    throw invalid('BYDAY', 'can be numbered only with FREQ=MONTHLY or FREQ=YEARLY')
  }
  if (highest > 5 && (freq === 'MONTHLY' || rule.byMonth))
    throw invalid('BYDAY', 'has at most 5 of a weekday in a month')
  return { ...rule, freq, interval }
}

function frequency(content: string): Frequency {
  const known = FREQUENCIES.find((freq) => freq === content)
  if (known) return known
  if (content === 'MINUTELY' || content === 'SECONDLY') {
    throw unsupported('FREQ', `cannot be ${content}, the shortest is HOURLY`)
  }
  throw invalid('FREQ', 'must be HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY')
}

function wholeNumber(part: string, content: string, highest: number): number {
  const number = /^\d{1,4}$/.test(content) ? Number(content) : 0
  if (number < 1 || number > highest) throw invalid(part, `must be a whole number from 1 to ${highest}`)
  return number
}

function wholeNumbers(part: string, content: string, lowest: number, highest: number): number[] {
  const numbers = content.split(',').map((item) => (/^\d{1,2}$/.test(item) ? Number(item) : -1))
  if (numbers.some((number) => number < lowest || number > highest)) {
    throw invalid(part, `must be whole numbers from ${lowest} to ${highest}`)
  }
  return numbers.toSorted(ascending).filter(isFirst)
}

function signedNumbers(part: string, content: string, highest: number): number[] {
  const numbers = content.split(',').map((item) => (/^[+-]?\d{1,3}$/.test(item) ? Number(item) : 0))
  if (numbers.some((number) => number === 0 || Math.abs(number) > highest)) {
    throw invalid(part, `must be numbers from 1 to ${highest} or from -${highest} to -1`)
  }
  return numbers.toSorted(ascending).filter(isFirst)
}

function weekdays(content: string): ByDay[] {
  const days = content.split(',').map((item) => {
    const [, number, weekday] = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(item) ?? []
    const nth = Number(number)
    if (!weekday || nth === 0 || Math.abs(nth) > 53) {
      throw invalid('BYDAY', 'must be weekdays such as MO or, numbered from 1 to 53 or from -53 to -1, -1FR')
    }
    return (number === undefined ? weekday : `${nth}${weekday}`) as ByDay
  })
  const key = (day: ByDay) => splitByDay(day).weekday * 1000 + splitByDay(day).nth
  return days.toSorted((a, b) => key(a) - key(b)).filter(isFirst)
}

function untilText(content: string): string {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?$/.exec(content) ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const date = new Date(iso)
  // The second look refuses days that JavaScript would carry over, such as 30 February, and the hour 24.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) {
    throw invalid('UNTIL', 'must be a date such as 20261231 or a date and time such as 20261231T225959Z')
  }
  return content
}

function isWeekday(text: string): text is Weekday {
  return WEEKDAYS.some((weekday) => weekday === text)
}

function ascending(a: number, b: number): number {
  return a - b
}

function isFirst<T>(item: T, index: number, sorted: readonly T[]): boolean {
  return index === 0 || item !== sorted[index - 1]
}

function invalid(part: string, problem: string): RecurrenceError {
  return new RecurrenceError('recurrence.invalid_part', part, `${part} ${problem}.`)
}

function unsupported(part: string, problem: string): RecurrenceError {
  return new RecurrenceError('recurrence.unsupported_part', part, `${part} ${problem}.`)
}
