import { addDays } from '../recurrence/wall-clock.ts'
import { WEEKDAYS, type Weekday } from '../recurrence/recurrence-rule.ts'
import type { Calendar } from './language.ts'

/** 0 is Monday. */
const weekdayOf = (date: string): number => (new Date(date).getUTCDay() + 6) % 7

const daysUntil = (date: string, weekday: Weekday): number =>
  (WEEKDAYS.indexOf(weekday) - weekdayOf(date) + 7) % 7

/** The next such day after today. */
export const comingWeekday = ({ today }: Calendar, weekday: Weekday): string =>
  addDays(today, daysUntil(today, weekday) || 7)

export const isWeekday = (date: string, weekday: Weekday): boolean => daysUntil(date, weekday) === 0

export const startOfWeek = ({ today, firstDayOfWeek }: Calendar): string =>
  addDays(today, -((weekdayOf(today) - WEEKDAYS.indexOf(firstDayOfWeek) + 7) % 7))

/** That day of the week so many weeks from this one, which may have passed. */
export function weekdayOfWeek(calendar: Calendar, weekday: Weekday, weeks: number): string {
  const first = addDays(startOfWeek(calendar), 7 * weeks)
  return addDays(first, daysUntil(first, weekday))
}

/** A month that lacks the day ends before it: 31 January and a month is 28 February. */
export function addMonths(date: string, months: number): string {
  const first = monthStart(date, months)
  return addDays(first, Math.min(Number(date.slice(8)), daysInMonth(first)) - 1)
}

/** The first day of the month so many months from that of a date. */
export function monthStart(date: string, months: number): string {
  const [year = 0, month = 0] = date.split('-').map(Number)
  return new Date(Date.UTC(year, month - 1 + months)).toISOString().slice(0, 10)
}

export const monthEnd = (date: string, months: number): string => addDays(monthStart(date, months + 1), -1)

/** The next day with this number, today included: the 31st waits for a month that has one. */
export function comingDayOfMonth({ today }: Calendar, day: number): string | null {
  const dates = [0, 1, 2]
    .map((months) => monthStart(today, months))
    .filter((first) => day >= 1 && day <= daysInMonth(first))
    .map((first) => addDays(first, day - 1))
  return dates.find((date) => date >= today) ?? null
}

const daysInMonth = (first: string): number => Number(monthEnd(first, 0).slice(8))
