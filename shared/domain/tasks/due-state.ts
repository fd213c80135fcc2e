import { addDays, civilDate, startOfDay } from '../recurrence/wall-clock.ts'

export const DUE_STATES = ['overdue', 'today', 'none'] as const

/**
 * Where tasks stand to the present day of their user. A due date alone counts by its day, whatever the task's zone; a due time
 * that has passed today is overdue and due today.
 */
export type DueState =
  | { is: 'none' }
  | { is: 'overdue'; now: Date; today: string }
  /** `from` and `until`: where the day begins and ends for the user. */
  | { is: 'today'; today: string; from: Date; until: Date }

export function dueState(is: (typeof DUE_STATES)[number], now: Date, timeZone: string): DueState {
  if (is === 'none') return { is }
  const today = civilDate(now, timeZone)
  if (is === 'overdue') return { is, now, today }
  return { is, today, from: startOfDay(today, timeZone), until: startOfDay(addDays(today, 1), timeZone) }
}
