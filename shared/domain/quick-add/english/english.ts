import { Chrono, configuration, type Parser } from 'chrono-node/en'
import type { ClockTime, Language, SaidTime } from '../language.ts'
import { days } from './days.ts'
import { HOLIDAY, NAMES } from './names.ts'
import { rules } from './rules.ts'
import {
  AND,
  COUNT,
  EXCEPT,
  LENGTH,
  LONG_WEEKDAY,
  MONTHS,
  PARTS,
  TIED,
  WEEKDAY,
  lengthsOf,
  numberOf,
  phrase,
  unitOf,
} from './words.ts'

const MINUTES = { minute: 1, hour: 60 } as const

/** Without what counts from now: none of its results is taken, and most of the time goes into it. */
function writtenDates(isDayFirst: boolean): Chrono {
  const { parsers, refiners } = configuration.createCasualConfiguration(isDayFirst)
  const isRelative = (parser: Parser) =>
    new Chrono({ parsers: [parser], refiners: [] }).parse(RELATIVE, { instant: new Date(0) }).length > 0
  return new Chrono({ parsers: parsers.filter((parser) => !isRelative(parser)), refiners })
}

const RELATIVE = 'in 3 days, 3 days ago, 3 days later, next 3 days'

/** Month first, as in 3/4; `en-GB` has the day first. */
function english(isDayFirst: boolean): Language {
  return {
    dates: writtenDates(isDayFirst),
    relations: new RegExp(
      `\\b(?:before|earlier|ago|after|later|within|past|last|previous|until|till?|through|(?:(?:at|in\\s+the)\\s+)?(?:morning|afternoon|evening|night))\\b|(?<=(?:\\d\\s?[ap]m|:\\d\\d)\\s+)to(?=\\s+\\d{1,2}\\s+(?:${MONTHS})\\b)`,
      'giu',
    ),
    names: new RegExp(NAMES.join('|'), 'giu'),
    days,
    times: [
      phrase('at\\s+(?:noon|midday)', () => exact('12:00')),
      phrase('noon|midday', () => exact('12:00'), true),
      // The end of the day that is named, which would be over at 00:00 of its own.
      phrase('at\\s+midnight', () => exact('23:59')),
      phrase('midnight', () => exact('23:59'), true),
      phrase('(?:by\\s+)?(?:eod|the\\s+end\\s+of\\s+the\\s+day|end\\s+of\\s+(?:the\\s+)?day)', () =>
        exact('17:00'),
      ),
      phrase('half\\s+past\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour), 30)),
      phrase('(?:a\\s+)?quarter\\s+past\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour), 15)),
      phrase('(?:a\\s+)?quarter\\s+to\\s+(?<hour>\\d{1,2})', ({ hour }) => clock(Number(hour) - 1, 45)),
    ],
    unread: new RegExp(
      `\\b(?:(?:${HOLIDAY})|(?:${LONG_WEEKDAY})s|(?:last|past|previous)\\s+(?:${LONG_WEEKDAY})|(?:every|each)\\s+[\\p{L}\\p{N}]+(?:\\s+(?:seconds?|minutes?|mins?|times?))?|(?:once|twice|(?:${COUNT})\\s+times)\\s+(?:an?|per|each|every)\\s+(?:hour|day|week|month|year))(?![\\p{L}\\p{N}]|['’-]\\p{L})`,
      'giu',
    ),
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
    lastAfternoonHour: LAST_AFTERNOON_HOUR,
    joint: /^\s*,?\s*(?:at|on|by|@|the)?\s*$/iu,
    and: /^\s*(?:,|and|&|,\s*and)\s*(?:at\s+)?$/iu,
    leadIn:
      /(?:^|[\s\uE000])(?:(?:due\s+)?(?:on|by|at|for|(?<!(?:minute|hour|day|evening|night|week|month|year)s?\s)before)(?:\s+the)?|due:?|@)\s*$/iu,
    goesOn:
      /^\s*,?\s*(?:(?:at|by|every|each|until|till|through|starting|remind|reminder|!|#)\b|@|[!#]|p[1-4]\b|\d{1,2}(?::\d\d)?\s*[ap]\.?m\b|\d{1,2}:\d\d)/iu,
    ofPlaces: /(?:at|for|@)(?:\s+the)?\s*$/iu,
    goesOnAfterDay:
      /^\s+(?:about|after|and|around|because|before|but|by|for|from|if|in|near|on|or|regarding|so|through|till?|to|until|via|when|with|without)\b/iu,
    except: new RegExp(`\\b(?:${EXCEPT})\\b`, 'iu'),
    tied: new RegExp(`(?:^|[\\s\uE000])(?:(?:${TIED})\\s+)*(?:${TIED})(?:\\s+(?:for|on|at|by))?$`, 'iu'),
    more: new RegExp(
      `^\\s*,?\\s*(?:(?:${EXCEPT})\\b|(?:and|or|to|but|not|until|till?|through|[-–—/&+])\\s*(?:(?:not|for|from|on|at|the|every|each)\\s+)*(?:(?:${WEEKDAY}|${MONTHS}|today|tomorrow|noon|midnight|weekends?|weekdays?)\\b|(?<number>\\d))|(?:and|or|but|not)\\s+(?:every|each)\\b|(?<number>\\d+)\\s*(?:,|and|or|&))`,
      'iu',
    ),
    rules,
    ends: [
      phrase(`for\\s+(?<n>${COUNT})\\s+(?:times|occurrences)`, ({ n }) => ({ count: numberOf(n) })),
      phrase(`(?<n>${COUNT})\\s+(?:times|occurrences)`, ({ n }) => ({ count: numberOf(n), isBehind: true })),
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
      beforeAlone: [
        phrase(
          `(?<list>${LENGTH}(?:${AND}${LENGTH})*)\\s+(?:before(?:hand)?|earlier|early|ahead|in\\s+advance|prior)`,
          ({ list }) => lengthsOf(list!),
          true,
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

const exact = (time: ClockTime): SaidTime => ({ time, precision: 'exact' })

function clock(hour: number, minute: number): SaidTime | null {
  if (hour < 0 || hour > 23) return null
  // Nobody says "half past 2" of the night without saying so.
  const known = hour >= 1 && hour <= LAST_AFTERNOON_HOUR ? hour + 12 : hour
  const time = `${String(known).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
  return { time, precision: hour >= 1 && hour <= 12 ? 'bare' : 'exact' }
}

const LAST_AFTERNOON_HOUR = 6

export const ENGLISH = english(false)
export const BRITISH_ENGLISH = english(true)
