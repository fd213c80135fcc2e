import { WEEKDAYS, type RecurrenceRule } from '../../recurrence/recurrence-rule.ts'
import type { Phrase, RuleMeaning } from '../language.ts'
import {
  AND,
  COUNT,
  DAY,
  DAYS,
  DONE,
  EVERY,
  LIST,
  LONG_WEEKDAY,
  MONTHS,
  NTH,
  ORDINALS,
  PARTS,
  SAID_DAYS,
  WEEKDAY,
  daysOf,
  nthOf,
  numberOf,
  phrase,
  weekdaysOf,
} from './words.ts'

const FREQUENCY = { hour: 'HOURLY', day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'YEARLY' } as const

function intervalOf(text: string | undefined): number {
  if (text === undefined) return 1
  const word = text.toLowerCase().trim()
  if (word === 'other' || word === 'second' || word === '2nd') return 2
  return /^\d+(?:rd|th)$/.test(word) || ORDINALS.includes(word) ? nthOf(word) : numberOf(word)
}

const INTERVAL = `(?:(?<n>other|second|third|fourth|\\d{1,2}(?:nd|rd|th)|${COUNT})\\s+)?`

const ruled = (
  groups: Readonly<Partial<Record<string, string>>>,
  rule: RecurrenceRule,
): RuleMeaning | null => {
  if (!(rule.interval >= 1)) return null
  const isAfter = groups['after'] !== undefined || groups['done'] !== undefined
  return { rule, ...(isAfter && { repeatFrom: 'completion' as const }) }
}

const ADVERB = 'hourly|daily|weekly|biweekly|fortnightly|monthly|quarterly|yearly|annually'
const WORK_DAYS = WEEKDAYS.slice(0, 5)

export const rules: Phrase<RuleMeaning>[] = [
  phrase<RuleMeaning>(`${EVERY}(?:weekdays?|work(?:ing)?\\s?days?|business\\s+days?)${DONE}`, (groups) =>
    ruled(groups, { freq: 'WEEKLY', interval: 1, byDay: WORK_DAYS }),
  ),
  phrase<RuleMeaning>('on\\s+(?:weekdays|work(?:ing)?\\s?days|business\\s+days)', (groups) =>
    ruled(groups, { freq: 'WEEKLY', interval: 1, byDay: WORK_DAYS }),
  ),
  phrase<RuleMeaning>(`(?:${EVERY}weekends?|on\\s+weekends)${DONE}`, (groups) =>
    ruled(groups, { freq: 'WEEKLY', interval: 1, byDay: ['SA', 'SU'] }),
  ),
  phrase<RuleMeaning>(
    `${EVERY}(?:${INTERVAL}months?\\s+)?(?:on\\s+)?(?:the\\s+)?last\\s+day(?:\\s+of\\s+(?:the|each|every)\\s+month)?${DONE}`,
    (groups) => ruled(groups, { freq: 'MONTHLY', interval: intervalOf(groups['n']), byMonthDay: [-1] }),
  ),
  phrase<RuleMeaning>(
    `(?:on\\s+)?(?:the\\s+)?last\\s+day\\s+of\\s+(?:each|every)\\s+month${DONE}`,
    (groups) => ruled(groups, { freq: 'MONTHLY', interval: 1, byMonthDay: [-1] }),
  ),
  // Every (other) month on the third Friday; every third Friday of the month.
  phrase<RuleMeaning>(
    `${EVERY}${INTERVAL}months?\\s+(?:on\\s+)?(?:the\\s+)?(?<nth>${NTH})\\s+(?<days>${LIST})${DONE}`,
    (groups) => nthWeekdays(groups, groups['n']),
  ),
  phrase<RuleMeaning>(
    `(?:${EVERY}|(?:on\\s+)?(?:the\\s+)?(?=(?:${NTH})\\s+(?:${WEEKDAY})\\s+of\\s+(?:each|every)))(?<nth>${NTH})\\s+(?<days>${LIST})(?:\\s+of\\s+(?:the|each|every|a)\\s+month)?${DONE}`,
    (groups) => nthWeekdays(groups, undefined),
  ),
  phrase<RuleMeaning>(
    `${EVERY}${INTERVAL}months?\\s+(?:(?:on\\s+)?(?:the\\s+)?(?<dates>${DAYS})|on\\s+the\\s+(?<said>${SAID_DAYS}))${DONE}`,
    (groups) => monthDays(groups, intervalOf(groups['n'])),
  ),
  phrase<RuleMeaning>(
    `(?:on\\s+)?(?:the\\s+)?(?<dates>${SAID_DAYS})\\s+of\\s+(?:each|every)\\s+month${DONE}`,
    (groups) => monthDays(groups, 1),
  ),
  phrase<RuleMeaning>(
    `${EVERY}(?<dates>${DAYS})(?!\\s+(?:of\\s+)?(?:${MONTHS}|day|week|month|year|hour)s?\\b)(?:\\s+of\\s+(?:the|each|every)\\s+month)?${DONE}`,
    (groups) => monthDays(groups, 1),
  ),
  phrase<RuleMeaning>(`${EVERY}${INTERVAL}(?:weeks?\\s+(?:on\\s+)?)(?<days>${LIST})${DONE}`, (groups) =>
    weekly(groups),
  ),
  phrase<RuleMeaning>(`${EVERY}${INTERVAL}(?<days>${LIST})${DONE}`, (groups) => weekly(groups)),
  phrase<RuleMeaning>(`on\\s+(?<days>(?:${LONG_WEEKDAY})s(?:${AND}(?:${LONG_WEEKDAY})s)*)`, (groups) =>
    weekly(groups),
  ),
  // The date that follows is the start, which says the rest.
  phrase<RuleMeaning>(
    `(?:every|each)(?<after>!)?(?=\\s+(?:(?:${MONTHS})\\.?\\s+\\d|(?:the\\s+)?\\d{1,2}(?:st|nd|rd|th)?\\s+(?:of\\s+)?(?:${MONTHS})\\b))`,
    (groups) => ruled(groups, { freq: 'YEARLY', interval: 1 }),
  ),
  phrase<RuleMeaning>(`${EVERY}(?<part>morning|afternoon|evening|night)${DONE}`, (groups) => {
    const made = ruled(groups, { freq: 'DAILY', interval: 1 })
    return made && { ...made, time: PARTS[groups['part']!.toLowerCase()]! }
  }),
  phrase<RuleMeaning>(
    `${EVERY}${INTERVAL}(?<unit>hours?|days?|weeks?|months?|quarters?|years?|fortnights?)${DONE}`,
    (groups) => {
      const word = groups['unit']!.toLowerCase().replace(/s$/, '')
      const times = intervalOf(groups['n'])
      if (word === 'quarter') return ruled(groups, { freq: 'MONTHLY', interval: 3 * times })
      if (word === 'fortnight') return ruled(groups, { freq: 'WEEKLY', interval: 2 * times })
      return ruled(groups, { freq: FREQUENCY[word as keyof typeof FREQUENCY], interval: times })
    },
  ),
  phrase<RuleMeaning>(`(?<word>${ADVERB})(?=\\s+on\\s+(?:${WEEKDAY}|the\\s+${DAY}))`, adverb),
  phrase<RuleMeaning>(`(?<word>${ADVERB})`, adverb, true),
]

function adverb({ word }: Readonly<Partial<Record<string, string>>>): RuleMeaning {
  return ADVERBS[word!.toLowerCase()]!
}

const ADVERBS: Readonly<Record<string, RuleMeaning>> = {
  hourly: { rule: { freq: 'HOURLY', interval: 1 } },
  daily: { rule: { freq: 'DAILY', interval: 1 } },
  weekly: { rule: { freq: 'WEEKLY', interval: 1 } },
  biweekly: { rule: { freq: 'WEEKLY', interval: 2 } },
  fortnightly: { rule: { freq: 'WEEKLY', interval: 2 } },
  monthly: { rule: { freq: 'MONTHLY', interval: 1 } },
  quarterly: { rule: { freq: 'MONTHLY', interval: 3 } },
  yearly: { rule: { freq: 'YEARLY', interval: 1 } },
  annually: { rule: { freq: 'YEARLY', interval: 1 } },
}

function nthWeekdays(
  groups: Readonly<Partial<Record<string, string>>>,
  n: string | undefined,
): RuleMeaning | null {
  const nth = nthOf(groups['nth']!)
  const byDay = weekdaysOf(groups['days']!).map((day) => `${nth}${day}` as const)
  return ruled(groups, { freq: 'MONTHLY', interval: intervalOf(n), byDay })
}

const weekly = (groups: Readonly<Partial<Record<string, string>>>): RuleMeaning | null =>
  ruled(groups, {
    freq: 'WEEKLY',
    interval: intervalOf(groups['n']),
    byDay: weekdaysOf(groups['days']!),
  })

function monthDays(groups: Readonly<Partial<Record<string, string>>>, interval: number): RuleMeaning | null {
  const byMonthDay = daysOf((groups['dates'] ?? groups['said'])!)
  return byMonthDay.length > 0 ? ruled(groups, { freq: 'MONTHLY', interval, byMonthDay }) : null
}
