import type { ClockTime, Length, Phrase, Unit } from '../language.ts'
import { WEEKDAYS, type Weekday } from '../../recurrence/recurrence-rule.ts'

const NUMBERS = 'one two three four five six seven eight nine ten eleven twelve'.split(' ')
export const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ')
export const MONTHS =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?'
export const WEEKDAY =
  'mon(?:days?)?|tue(?:s(?:days?)?)?|wed(?:nesdays?)?|thu(?:r(?:s(?:days?)?)?)?|fri(?:days?)?|sat(?:urdays?)?|sun(?:days?)?'
/** Whole names: the short ones are also words (sun, sat, wed). */
export const LONG_WEEKDAY = 'monday|tuesday|wednesday|thursday|friday|saturday|sunday'
export const AND = '(?:\\s*,\\s*(?:and\\s+)?|\\s*[/&+]\\s*|\\s+and\\s+)'
export const LIST = `(?:${WEEKDAY})(?:${AND}(?:${WEEKDAY}))*`
export const COUNT = `\\d{1,3}|an?|${NUMBERS.join('|')}`
export const NTH = `${ORDINALS.slice(0, 5).join('|')}|[1-5](?:st|nd|rd|th)|last`
export const DAY = '[12]?\\d(?:st|nd|rd|th)|3[01](?:st|th)'
/** Only where they can be nothing else: "the first of every month". */
const SAID_DAY = `${DAY}|${ORDINALS.join('|')}`
export const SAID_DAYS = `(?:${SAID_DAY})(?:${AND}(?:the\\s+)?(?:${SAID_DAY}))*`
export const DAYS = `(?:${DAY})(?:${AND}(?:the\\s+)?(?:${DAY}))*`
export const EVERY = '(?:every|each)(?<after>!)?\\s+(?:single\\s+)?'
/** After its completion, not after it was due. */
export const DONE =
  "(?<done>\\s+(?:after|from|upon)\\s+(?:completion|completing(?:\\s+it)?|(?:it(?:'|’)?s\\s+|it\\s+is\\s+|i(?:'|’)?m\\s+)?(?:done|completed|finished)|finishing(?:\\s+it)?)|\\s+(?:when|once)\\s+(?:it(?:'|’)?s\\s+)?(?:done|completed|finished))?"
const UNIT = 'minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|years?|yrs?|min|m|h|d|w'

export const phrase = <Meaning>(
  pattern: string,
  read: Phrase<Meaning>['read'],
  isPlainWord = false,
): Phrase<Meaning> => ({
  pattern: new RegExp(pattern, 'giu'),
  read,
  ...(isPlainWord && { isPlainWord }),
})

export function numberOf(text: string | undefined): number {
  const word = (text ?? '1').toLowerCase()
  if (/^an?$/.test(word)) return 1
  const named = NUMBERS.indexOf(word) + 1
  return named || Number(word)
}

export function nthOf(text: string): number {
  const word = text.toLowerCase()
  if (word === 'last') return -1
  return ORDINALS.indexOf(word) + 1 || Number.parseInt(word, 10)
}

export const weekdayOf = (text: string): Weekday =>
  WEEKDAYS.find((day) => text.toUpperCase().startsWith(day))!

export const weekdaysOf = (list: string): Weekday[] => {
  const named = list.split(new RegExp(AND, 'iu')).map(weekdayOf)
  return WEEKDAYS.filter((day) => named.includes(day))
}

export const daysOf = (list: string): number[] =>
  [...new Set(list.split(new RegExp(`${AND}(?:the\\s+)?`, 'iu')).map(nthOf))]
    .filter((day) => day > 0)
    .toSorted((a, b) => a - b)

export function unitOf(text: string): Unit {
  const word = text.toLowerCase()
  if (word.startsWith('mo')) return 'month'
  const units = { m: 'minute', h: 'hour', d: 'day', w: 'week', y: 'year' } as const
  return units[word[0] as keyof typeof units]
}

export const PARTS: Readonly<Record<string, ClockTime>> = {
  morning: '09:00',
  afternoon: '15:00',
  evening: '18:00',
  night: '20:00',
  tonight: '20:00',
}

export const LENGTH = `(?:\\d{1,3}\\s*|(?:an?|${NUMBERS.join('|')})\\s+)(?:${UNIT})`

export const lengthsOf = (list: string): Length[] =>
  [
    ...list.matchAll(
      new RegExp(`\\b(?:(?<n>\\d{1,3})\\s*|(?<word>an?|${NUMBERS.join('|')})\\s+)(?<unit>${UNIT})\\b`, 'giu'),
    ),
  ].map(({ groups }) => ({
    count: numberOf(groups!['n'] ?? groups!['word']),
    unit: unitOf(groups!['unit']!),
  }))

export const EXCEPT = 'except|excluding|excepting|unless|other\\s+than|apart\\s+from|save\\s+for'
/** What is tied to the words before it: conjunctions, articles and prepositions that lead into no moment. */
export const TIED = `${EXCEPT}|besides|and|or|nor|from|to|into|onto|of|but|not|than|as|between|until|till?|through|since|after|during|within|over|around|about|with|without|like|a|an|the|my|our|your|his|her|its|their|every|each|last|past|previous|if|whether|(?:minute|hour|day|evening|night|week|month|year)s?\\s+before|&|\\+|–|—|~|(?<=(?:${WEEKDAY}|${MONTHS}|\\d)\\s*)-`
