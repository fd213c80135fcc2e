import { z } from 'zod'
import { MINUTE_MS } from '../durations.ts'
import { instantText } from '../fields.ts'
import { dueInstant } from './reminder-plan.ts'
import { isOpen } from './task-reminders.ts'
import type { Priority, Task } from '../tasks/task.ts'

export const ReminderSuggestion = z
  .object({
    remind_at: instantText,
    offset_minutes: z.int().describe('Value for a new reminder that follows the due time'),
    label: z.string(),
  })
  .meta({ id: 'ReminderSuggestion' })
export type ReminderSuggestion = z.infer<typeof ReminderSuggestion>

const HOUR = 60
const DAY = 24 * HOUR

/** How much earlier than usual a priority wants to be reminded. */
const MULTIPLIER: Record<Priority, number> = { high: 2, medium: 1, low: 0.5 }
const LEADS: Record<Priority, number[]> = {
  high: [DAY, 4 * HOUR, HOUR, 30],
  medium: [DAY, HOUR, 30],
  low: [30],
}
/** The same for a task that is due on a day: days, and the morning itself. */
const DAY_LEADS: Record<Priority, number[]> = { high: [DAY, DAY / 2, 0], medium: [DAY, 0], low: [0] }

/** Reminders that suit a task's due time and priority, earliest first; only such as are still to come. */
export function suggestReminders(task: Task, now: Date): ReminderSuggestion[] {
  const due = dueInstant(task)
  if (!due || !isOpen(task)) return []
  const leads = (task.dueAt ? LEADS : DAY_LEADS)[task.priority]
  return leads
    .map((lead) => lead * MULTIPLIER[task.priority])
    .map((minutes) => ({ minutes, time: new Date(due.getTime() - minutes * MINUTE_MS) }))
    .filter(({ time }) => time > now)
    .map(({ minutes, time }) => ({
      remind_at: time.toISOString(),
      offset_minutes: minutes,
      label: labelOf(minutes),
    }))
}

function labelOf(minutes: number): string {
  if (minutes === 0) return 'on the day'
  const [count, unit] =
    minutes % DAY === 0
      ? [minutes / DAY, 'day']
      : minutes % HOUR === 0
        ? [minutes / HOUR, 'hour']
        : [minutes, 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'} before`
}
