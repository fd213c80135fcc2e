import { Chrono, configuration } from 'chrono-node/en'
import { addDays } from '../recurrence/wall-clock.ts'
import { WEEKDAYS, type RecurrenceRule, type Weekday } from '../recurrence/recurrence-rule.ts'
import {
  addMonths,
  comingDayOfMonth,
  comingWeekday,
  isWeekday,
  monthEnd,
  monthStart,
  startOfWeek,
  weekdayOfWeek,
} from './calendar.ts'
import type { Calendar, DayMeaning, Language, Length, Phrase, RuleMeaning, Unit } from './language.ts'

const NUMBERS = 'one two three four five six seven eight nine ten eleven twelve'.split(' ')
const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ')
const MONTHS =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?'
const WEEKDAY =
  'mon(?:days?)?|tue(?:s(?:days?)?)?|wed(?:nesdays?)?|thu(?:r(?:s(?:days?)?)?)?|fri(?:days?)?|sat(?:urdays?)?|sun(?:days?)?'
/** Whole names: the short ones are also words (sun, sat, wed). */
const LONG_WEEKDAY = 'monday|tuesday|wednesday|thursday|friday|saturday|sunday'
const AND = '(?:\\s*,\\s*(?:and\\s+)?|\\s*[/&+]\\s*|\\s+and\\s+)'
const LIST = `(?:${WEEKDAY})(?:${AND}(?:${WEEKDAY}))*`
const COUNT = `\\d{1,3}|an?|${NUMBERS.join('|')}`
const NTH = `${ORDINALS.slice(0, 5).join('|')}|[1-5](?:st|nd|rd|th)|last`
const DAY = '[12]?\\d(?:st|nd|rd|th)|3[01](?:st|th)'
const DAYS = `(?:${DAY})(?:${AND}(?:the\\s+)?(?:${DAY}))*`
const EVERY = '(?:every|each)(?<after>!)?\\s+(?:single\\s+)?'
/** After its completion, not after it was due. */
const DONE =
  "(?<done>\\s+(?:after|from|upon)\\s+(?:completion|completing(?:\\s+it)?|(?:it(?:'|’)?s\\s+|it\\s+is\\s+|i(?:'|’)?m\\s+)?(?:done|completed|finished)|finishing(?:\\s+it)?)|\\s+(?:when|once)\\s+(?:it(?:'|’)?s\\s+)?(?:done|completed|finished))?"
const UNIT = 'minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|years?|yrs?|min|m|h|d|w'

const phrase = <Meaning>(
  pattern: string,
  read: Phrase<Meaning>['read'],
  isPlainWord = false,
): Phrase<Meaning> => ({
  pattern: new RegExp(pattern, 'giu'),
  read,
  ...(isPlainWord && { isPlainWord }),
})

function numberOf(text: string | undefined): number {
  const word = (text ?? '1').toLowerCase()
  if (/^an?$/.test(word)) return 1
  const named = NUMBERS.indexOf(word) + 1
  return named || Number(word)
}

function nthOf(text: string): number {
  const word = text.toLowerCase()
  if (word === 'last') return -1
  return ORDINALS.indexOf(word) + 1 || Number.parseInt(word, 10)
}

const weekdayOf = (text: string): Weekday => WEEKDAYS.find((day) => text.toUpperCase().startsWith(day))!

const weekdaysOf = (list: string): Weekday[] => {
  const named = list.split(new RegExp(AND, 'iu')).map(weekdayOf)
  return WEEKDAYS.filter((day) => named.includes(day))
}

const daysOf = (list: string): number[] =>
  [...new Set([...list.matchAll(/\d+/g)].map(Number))].filter((day) => day > 0).toSorted((a, b) => a - b)

function unitOf(text: string): Unit {
  const word = text.toLowerCase()
  if (word.startsWith('mo')) return 'month'
  const units = { m: 'minute', h: 'hour', d: 'day', w: 'week', y: 'year' } as const
  return units[word[0] as keyof typeof units]
}

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

const rules: Phrase<RuleMeaning>[] = [
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
    `${EVERY}${INTERVAL}months?\\s+(?:on\\s+)?(?:the\\s+)?(?<dates>${DAYS})${DONE}`,
    (groups) => monthDays(groups, intervalOf(groups['n'])),
  ),
  phrase<RuleMeaning>(
    `(?:on\\s+)?(?:the\\s+)?(?<dates>${DAYS})\\s+of\\s+(?:each|every)\\s+month${DONE}`,
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
  const byMonthDay = daysOf(groups['dates']!)
  return byMonthDay.length > 0 ? ruled(groups, { freq: 'MONTHLY', interval, byMonthDay }) : null
}

const PARTS: Readonly<Record<string, string>> = {
  morning: '09:00',
  afternoon: '15:00',
  evening: '18:00',
  night: '20:00',
  tonight: '20:00',
}

const comingDay = (weekday: Weekday, calendar: Calendar): DayMeaning => ({
  date: comingWeekday(calendar, weekday),
  orToday: isWeekday(calendar.today, weekday),
})

const days: Phrase<DayMeaning>[] = [
  phrase('(?:the\\s+)?day\\s+after\\s+tomorrow', (_, { today }) => ({ date: addDays(today, 2) })),
  phrase(
    `in\\s+(?<n>${COUNT})\\s+(?<unit>days?|weeks?|months?|years?)|(?<n2>${COUNT})\\s+(?<unit2>days?|weeks?|months?|years?)\\s+from\\s+(?:now|today)`,
    ({ n, unit, n2, unit2 }, { today }) => ({
      date: later(today, { count: numberOf(n ?? n2), unit: unitOf((unit ?? unit2)!) }),
    }),
  ),
  phrase('tomorrow\\s+night', (_, { today }) => ({ date: addDays(today, 1), time: PARTS['night']! })),
  phrase('tomorrow|tmrw?|tmw', (_, { today }) => ({ date: addDays(today, 1) })),
  phrase('today', (_, { today }) => ({ date: today })),
  phrase('(?<part>tonight)|this\\s+(?<of>morning|afternoon|evening)', (groups, { today }) => ({
    date: today,
    time: PARTS[(groups['part'] ?? groups['of']!).toLowerCase()]!,
  })),
  phrase(`(?<day>${WEEKDAY})(?:\\s+|\\s+of\\s+)next\\s+week`, ({ day }, calendar) => ({
    date: weekdayOfWeek(calendar, weekdayOf(day!), 1),
  })),
  phrase(`next\\s+week\\s+(?:on\\s+)?(?<day>${WEEKDAY})`, ({ day }, calendar) => ({
    date: weekdayOfWeek(calendar, weekdayOf(day!), 1),
  })),
  phrase(`next\\s+(?<day>${WEEKDAY})`, ({ day }, calendar) => ({
    date: weekdayOfWeek(calendar, weekdayOf(day!), 1),
  })),
  phrase(`this\\s+(?<day>${WEEKDAY})`, ({ day }, calendar) => {
    const date = weekdayOfWeek(calendar, weekdayOf(day!), 0)
    return { date: date < calendar.today ? comingWeekday(calendar, weekdayOf(day!)) : date }
  }),
  phrase(`(?<!\\b(?:last|past|every|each)\\s+)(?<day>${LONG_WEEKDAY})`, ({ day }, calendar) =>
    comingDay(weekdayOf(day!), calendar),
  ),
  phrase(
    `(?<!\\b(?:last|past|every|each)\\s+)(?<day>mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)`,
    ({ day }, calendar) => comingDay(weekdayOf(day!), calendar),
    true,
  ),
  phrase('(?:this|the|on\\s+the)\\s+weekend', (_, calendar) => ({
    date: isWeekday(calendar.today, 'SU') ? calendar.today : weekendOf(calendar),
  })),
  phrase('next\\s+weekend', (_, calendar) => ({
    date: addDays(isWeekday(calendar.today, 'SU') ? addDays(calendar.today, -1) : weekendOf(calendar), 7),
  })),
  phrase('(?:the\\s+)?end\\s+of\\s+(?:the\\s+|this\\s+)?week', (_, calendar) => ({
    date: addDays(startOfWeek(calendar), 6),
  })),
  phrase('(?:the\\s+)?end\\s+of\\s+next\\s+month', (_, { today }) => ({ date: monthEnd(today, 1) })),
  phrase('(?:the\\s+)?end\\s+of\\s+(?:the\\s+|this\\s+)?month', (_, { today }) => ({
    date: monthEnd(today, 0),
  })),
  phrase('(?:the\\s+)?end\\s+of\\s+(?:the\\s+|this\\s+)?year', (_, { today }) => ({
    date: `${today.slice(0, 4)}-12-31`,
  })),
  phrase('next\\s+week', (_, calendar) => ({ date: addDays(startOfWeek(calendar), 7) })),
  phrase('next\\s+month', (_, { today }) => ({ date: monthStart(today, 1) })),
  phrase('next\\s+year', (_, { today }) => ({ date: `${Number(today.slice(0, 4)) + 1}-01-01` })),
  phrase(
    `(?:on|by|due)\\s+the\\s+(?<day>${DAY})(?!\\s+(?:of\\s+)?(?:${MONTHS}|${WEEKDAY})\\b)(?!\\s+of\\b)`,
    ({ day }, calendar) => {
      const date = comingDayOfMonth(calendar, Number.parseInt(day!, 10))
      return date === null ? null : { date }
    },
    true,
  ),
]

/** The Saturday that comes, or is. */
const weekendOf = (calendar: Calendar): string =>
  isWeekday(calendar.today, 'SA') ? calendar.today : comingWeekday(calendar, 'SA')

function later(date: string, { count, unit }: Length): string {
  if (unit === 'day') return addDays(date, count)
  if (unit === 'week') return addDays(date, 7 * count)
  return addMonths(date, unit === 'month' ? count : 12 * count)
}

const LENGTH = `(?:\\d{1,3}\\s*|(?:an?|${NUMBERS.join('|')})\\s+)(?:${UNIT})`

const lengthsOf = (list: string): Length[] =>
  [
    ...list.matchAll(
      new RegExp(`\\b(?:(?<n>\\d{1,3})\\s*|(?<word>an?|${NUMBERS.join('|')})\\s+)(?<unit>${UNIT})\\b`, 'giu'),
    ),
  ].map(({ groups }) => ({
    count: numberOf(groups!['n'] ?? groups!['word']),
    unit: unitOf(groups!['unit']!),
  }))

const MINUTES = { minute: 1, hour: 60 } as const

/** Month first, as in 3/4; `en-GB` has the day first. */
function english(isDayFirst: boolean): Language {
  return {
    dates: new Chrono(configuration.createCasualConfiguration(isDayFirst)),
    relations: /\b(?:before|earlier|ago|after|later|within|past|last|previous|until|till?|through)\b/giu,
    names:
      /\b(?:(?:black|good|freaky)\s+friday|cyber\s+monday|ash\s+wednesday|(?:palm|easter|super\s+bowl)\s+sunday|(?:day|week)\s+to\s+(?:day|week)|good\s+(?:morning|afternoon|evening|night)|sunday\s+times)\b/giu,
    days,
    times: [
      phrase('at\\s+(?:noon|midday)', () => '12:00'),
      phrase('noon|midday', () => '12:00', true),
      // The end of the day that is named, which would be over at 00:00 of its own.
      phrase('at\\s+midnight', () => '23:59'),
      phrase('midnight', () => '23:59', true),
      phrase('(?:by\\s+)?(?:eod|the\\s+end\\s+of\\s+the\\s+day|end\\s+of\\s+(?:the\\s+)?day)', () => '17:00'),
      phrase('half\\s+past\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour), 30)),
      phrase('(?:a\\s+)?quarter\\s+past\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour), 15)),
      phrase('(?:a\\s+)?quarter\\s+to\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour) - 1, 45)),
    ],
    delays: [
      phrase('in\\s+half\\s+an\\s+hour', () => 30),
      phrase('in\\s+an\\s+hour\\s+and\\s+a\\s+half', () => 90),
      phrase(
        `in\\s+(?<list>(?:${COUNT})\\s*(?:hours?|hrs?|h|minutes?|mins?|m)(?:\\s*(?:and\\s+)?(?:${COUNT})\\s*(?:minutes?|mins?|m))?)\\b`,
        ({ list }) =>
          lengthsOf(list!).reduce((sum, { count, unit }) => sum + count * MINUTES[unit as 'minute'], 0),
      ),
    ],
    partOfDay: {
      pattern:
        /^\s*,?\s+(?:(?:in\s+the\s+|at\s+)(?<of>morning|afternoon|evening|night)|(?<part>morning|afternoon|evening|night))\b/iu,
      times: PARTS,
    },
    lastAfternoonHour: 6,
    joint: /^\s*,?\s*(?:at|on|by|@|the)?\s*$/iu,
    and: /^\s*(?:,|and|&|,\s*and)\s*(?:at\s+)?$/iu,
    leadIn:
      /(?:^|[\s\uE000])(?:(?:due\s+)?(?:on|by|at|for|(?<!(?:day|evening|night|week|hour)\s)before)(?:\s+the)?|due:?|@)\s*$/iu,
    goesOn:
      /^\s*,?\s*(?:(?:at|by|every|each|until|till|starting|remind|reminder|!|#)\b|@|[!#]|p[1-4]\b|\d{1,2}(?::\d\d)?\s*[ap]\.?m\b|\d{1,2}:\d\d)/iu,
    rules,
    ends: [
      phrase(`(?:for\\s+)?(?<n>${COUNT})\\s+(?:times|occurrences)`, ({ n }) => ({ count: numberOf(n) })),
      phrase(
        `for\\s+(?:the\\s+next\\s+)?(?<n>${COUNT})\\s+(?<unit>days?|weeks?|months?|years?)`,
        ({ n, unit }) => ({
          length: { count: numberOf(n), unit: unitOf(unit!) },
        }),
      ),
    ],
    until:
      /(?:^|[\s\uE000])(?<word>,?\s*(?:up\s+)?(?:until|till|til|through|ending(?:\s+on)?)\s+(?:the\s+)?)$/iu,
    starting:
      /(?:^|[\s\uE000])(?<word>,?\s*(?:starting|starts|beginning|from|as\s+of)\s+(?:from\s+|on\s+|at\s+|the\s+)*)$/iu,
    reminders: {
      before: [
        phrase(
          `(?:with\\s+a\\s+|and\\s+)?remind(?:er)?(?:\\s+me)?\\s+(?<list>${LENGTH}(?:${AND}${LENGTH})*)\\s+(?:before(?:hand)?|earlier|early|ahead|in\\s+advance|prior)(?:\\s+it)?`,
          ({ list }) => lengthsOf(list!),
        ),
        phrase(
          '(?:and\\s+)?remind(?:er)?(?:\\s+me)?\\s+(?:the\\s+)?(?<unit>day|week|hour)\\s+before(?!\\s+at\\b)',
          ({ unit }) => [{ count: 1, unit: unitOf(unit!) }],
        ),
      ],
      onTime: [
        phrase(
          "(?:and\\s+)?remind(?:er)?(?:\\s+me)?\\s+(?:on\\s+time|when\\s+(?:it(?:'|’)?s\\s+)?due|at\\s+(?:the|that)\\s+time|on\\s+the\\s+day)",
          () => true,
        ),
      ],
      at: /(?:^|[\s\uE000])(?<word>,?\s*(?:and\s+)?remind(?:er)?(?:\s+me)?\s+(?<dayBefore>(?:the\s+)?(?:day|evening|night)\s+before\s+)?(?:(?:at|on|by|the)\s+)*)$/iu,
      to: /^\s*(?<head>(?:please\s+)?remind\s+me)[\s\uE000]+(?<tail>to)\s/iu,
      goesOn: /^\s+to\s+(?=\S)/iu,
    },
    priorities: [
      phrase('(?:with\\s+)?(?<word>high|medium|low)[\\s-]priority', ({ word }) => priorityOf(word!), true),
      phrase('priority\\s*[:=]?\\s*(?<word>high|medium|low)', ({ word }) => priorityOf(word!)),
    ],
  }
}

const priorityOf = (word: string) => word.toLowerCase() as 'high' | 'medium' | 'low'

function clock(hour: number, minute: number): string | null {
  if (hour < 0 || hour > 23) return null
  // Nobody says "half past 2" of the night without saying so.
  const known = hour >= 1 && hour <= 6 ? hour + 12 : hour
  return `${String(known).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

export const ENGLISH = english(false)
export const BRITISH_ENGLISH = english(true)
