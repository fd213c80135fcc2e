import { dueInstant } from './reminder-plan.ts'
import type { Task } from './task.ts'
import { instantToWall } from './wall-clock.ts'

// The day is worked out by the rules of the zone before; this only puts it into words.
const DAY = new Intl.DateTimeFormat('en-GB', {
  ...{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  timeZone: 'UTC',
})

/**
 * When a task is due, in plain words of the reader's zone: `Due on Monday 2 March 2026 at 15:00.` The day is named in
 * full, so that it says the same to who reads it a day later. A day without a time is the same day everywhere.
 */
export function describeDue(
  task: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>,
  timeZone: string,
  now: Date,
): string {
  const due = dueInstant(task)
  if (!due) return 'You asked to be reminded of this.'
  const day = (date: string) => DAY.format(new Date(`${date}T00:00:00Z`)).replace(',', '')
  if (!task.dueAt) return `Due on ${day(task.dueDate!)}.`
  const wall = instantToWall(due, timeZone)
  return `${due < now ? 'Was due' : 'Due'} on ${day(wall.slice(0, 10))} at ${wall.slice(11, 16)}.`
}
