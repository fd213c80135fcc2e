import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import type { Task } from '../../shared/domain/tasks/task.ts'
import { dueOf, ms, type ModelReminder } from './reminder-model.ts'
import { instantOf, wallOf } from './wall-clock.ts'

/** A closed task and its reminders, as they were at some time since it was closed. */
export interface Closed {
  task: Task
  reminders: readonly ModelReminder[]
}

/**
 * What is wrong with the reminders that a new occurrence begins with, or null. They are those of an earlier one, as that was
 * when the occurrence was made: changes of what is closed, from about then, may count or not.
 */
export function carriedFrom(closed: readonly Closed[], next: Task, rows: readonly Reminder[]): string | null {
  const problems = closed.map((last) => compare(last, next, rows))
  return problems.length === 0 || problems.includes(null) ? null : [...new Set(problems)].join(' | ')
}

function compare({ task: last, reminders }: Closed, next: Task, rows: readonly Reminder[]): string | null {
  const own = last.remindAt ? [`task ${shifted(last.remindAt.getTime(), last, next)}`] : []
  const expected = reminders
    .filter(({ origin, isRemoved }) => origin === 'default' || (origin === 'user' && !isRemoved))
    .map(({ origin, offsetMinutes, time, channels, isRemoved }) => {
      const when = offsetMinutes ?? (time === null ? 'never' : shifted(time, last, next))
      return `${origin} ${when} ${channels?.join('+')} ${isRemoved}`
    })
  const found = rows.map(({ origin, offsetMinutes, remindAt, channels, deletedAt }) => {
    if (origin === 'task') return `task ${wall(remindAt!.getTime(), next)}`
    const when = offsetMinutes ?? (remindAt ? wall(remindAt.getTime(), next) : 'never')
    return `${origin} ${when} ${channels?.join('+')} ${deletedAt !== null}`
  })
  const [toldLines, foundLines] = [[...expected, ...own].toSorted().join(), found.toSorted().join()]
  return toldLines === foundLines ? null : `after ${last.id.slice(-4)}: ${toldLines}; is ${foundLines}`
}

const wall = (instant: number, { timeZone }: Task): string => wallOf(instant, timeZone)

/** As far from the due time as it was, by the clock on the wall; a time that the clocks leave out, as they then show it. */
function shifted(instant: number, last: Task, next: Task): string {
  const lastDue = dueOf(last)
  const clock = (at: number, { timeZone }: Task) => Date.parse(`${wallOf(at, timeZone)}Z`) + (at % 1000)
  const place = (task: Task) => {
    if (lastDue !== null) return clock(dueOf(task)!, task)
    const at = ms(task.occurrenceAt)!
    return task.seriesTerms?.isAllDay ? at : clock(at, task)
  }
  const wanted = place(next) + clock(instant, last) - place(last)
  return wall(instantOf(new Date(wanted).toISOString().slice(0, 19), next.timeZone), next)
}
