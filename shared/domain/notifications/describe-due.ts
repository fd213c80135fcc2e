import { dueInstant } from '../reminders/reminder-plan.ts'
import type { Task } from '../tasks/task.ts'
import { instantToWall } from '../recurrence/wall-clock.ts'

// The day is worked out by the rules of the zone before; this only puts it into words.
const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
})

/**
 * When a task is due, in plain words of the reader's zone: `Due on Monday 2 March 2026 at 15:00.` The day is named in
 * full, so that it says the same to who reads it a day later. A day without a time is the same day everywhere. A zone that
 * is not the task's is named, because the writer of the task had another time in mind.
 */
export function describeDue(
  task: Pick<Task, 'dueAt' | 'dueDate' | 'timeZone'>,
  timeZone: string,
  now: Date,
): string {
  const due = dueInstant(task)
  if (!due) return 'You asked to be reminded of this.'
  const day = (date: string) => DAY.format(new Date(`${date}T00:00:00Z`)).replace(',', '')
  if (!task.dueAt) {
    const isOver = task.dueDate! < instantToWall(now, timeZone).slice(0, 10)
    return `${isOver ? 'Was due' : 'Due'} on ${day(task.dueDate!)}.`
  }
  const wall = instantToWall(due, timeZone)
  const zone = timeZone === task.timeZone ? '' : ` (${timeZone})`
  return `${due < now ? 'Was due' : 'Due'} on ${day(wall.slice(0, 10))} at ${wall.slice(11, 16)}${zone}.`
}
