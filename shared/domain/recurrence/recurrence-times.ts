import { HOUR_MS, MINUTE_MS } from '../durations.ts'
import type { RecurrenceRule } from './recurrence-rule.ts'

/** Ascending times of day, in ms after midnight on the wall: what BYHOUR and BYMINUTE leave open is that of the start. */
export function timesOfDay(rule: RecurrenceRule, ofStart: number): number[] {
  const { byHour = [Math.floor(ofStart / HOUR_MS)] } = rule
  return byHour.flatMap((hour) => timesInHour(rule, ofStart).map((time) => hour * HOUR_MS + time))
}

export function timesInHour(rule: RecurrenceRule, ofStart: number): number[] {
  const { byMinute = [Math.floor((ofStart % HOUR_MS) / MINUTE_MS)] } = rule
  return byMinute.map((minute) => minute * MINUTE_MS + (ofStart % MINUTE_MS))
}

export const isSeveralADay = ({ freq, byHour = [], byMinute = [] }: RecurrenceRule): boolean =>
  freq === 'HOURLY' || byHour.length > 1 || byMinute.length > 1

/** The rule with the hours and minutes that it leaves to a start at this time of day, `HH:MM…`. */
export const withTimesOf = (rule: RecurrenceRule, time: string): RecurrenceRule => ({
  ...rule,
  byHour: rule.byHour ?? [Number(time.slice(0, 2))],
  byMinute: rule.byMinute ?? [Number(time.slice(3, 5))],
})

/** The times of day, `HH:MM`, of a rule that leaves none open. */
export const wallTimes = ({ byHour = [], byMinute = [] }: RecurrenceRule): string[] =>
  byHour.flatMap((hour) => byMinute.map((minute) => `${pad(hour)}:${pad(minute)}`))

const pad = (number: number): string => String(number).padStart(2, '0')
