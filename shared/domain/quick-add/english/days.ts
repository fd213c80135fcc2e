import { type Weekday } from '../../recurrence/recurrence-rule.ts'
import { addDays } from '../../recurrence/wall-clock.ts'
import {
  addMonths,
  comingDayOfMonth,
  comingWeekday,
  isWeekday,
  monthEnd,
  monthStart,
  startOfWeek,
  weekdayOfWeek,
} from '../calendar.ts'
import type { Calendar, DayMeaning, Length, Phrase } from '../language.ts'
import {
  COUNT,
  DAY,
  LONG_WEEKDAY,
  MONTHS,
  PARTS,
  WEEKDAY,
  numberOf,
  phrase,
  unitOf,
  weekdayOf,
} from './words.ts'

const comingDay = (weekday: Weekday, calendar: Calendar): DayMeaning => ({
  date: comingWeekday(calendar, weekday),
  orToday: isWeekday(calendar.today, weekday),
})

export const days: Phrase<DayMeaning>[] = [
  phrase('(?:the\\s+)?day\\s+after\\s+tomorrow', (_, { today }) => ({ date: addDays(today, 2) })),
  phrase(
    `in\\s+(?<n>${COUNT})\\s+(?<unit>days?|weeks?|months?|years?)|(?<n2>${COUNT})\\s+(?<unit2>days?|weeks?|months?|years?)\\s+from\\s+(?:now|today)`,
    ({ n, unit, n2, unit2 }, { today }) => ({
      date: later(today, { count: numberOf(n ?? n2), unit: unitOf((unit ?? unit2)!) }),
    }),
  ),
  phrase('tomorrow\\s+night', (_, { today }) => ({ date: addDays(today, 1), time: PARTS['night']! })),
  phrase('tomorrow|tmrw?|tmw', (_, { today }) => ({ date: addDays(today, 1) })),
  phrase('^\\s*today', (_, { today }) => ({ date: today })),
  phrase('today', (_, { today }) => ({ date: today, isWord: true })),
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
  phrase(`(?<!\\b(?:last|past|every|each)\\s+)(?<day>${LONG_WEEKDAY})`, ({ day }, calendar) => ({
    ...comingDay(weekdayOf(day!), calendar),
    isWord: true,
  })),
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
