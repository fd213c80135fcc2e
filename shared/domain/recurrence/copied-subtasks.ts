import { taskFact, type Decision } from '../decision.ts'
import { DAY_MS } from '../durations.ts'
import { TaskCreated } from '../events.ts'
import { carryReminders } from '../reminders/carried-reminders.ts'
import type { RemindedTask } from '../reminders/task-reminders.ts'
import { isHistory, MAX_SUBTASKS } from '../tasks/subtasks.ts'
import type { Task } from '../tasks/task.ts'
import type { Series } from './series.ts'
import { slotDay, type Slot } from './slots.ts'
import { addDays, civilDate, wallMs, wallMsToInstant } from './wall-clock.ts'

interface Context {
  now: Date
  newId: () => string
  /** When the last occurrence was. */
  closedAt: Date
}

type Copies = Required<Pick<Decision, 'newTasks' | 'newReminders' | 'facts'>>

/**
 * What lay below an occurrence when it was closed, once more below the next one: open, in the same order, with due times
 * and reminders moved as far as the occurrence itself. `subtasks` has parents before their children.
 */
export function copySubtasks(
  subtasks: readonly RemindedTask[],
  { from, to, series, last }: { from: Slot; to: Task; series: Series; last: Task },
  context: Context,
): Copies {
  const step = stepOf(series, from, to.occurrenceAt!)
  const parents = new Map([[last.id, to.id]])
  const copies: Copies = { newTasks: [], newReminders: [], facts: [] }
  for (const one of subtasks) {
    const { task, reminders } = one
    const parentId = parents.get(task.parentId ?? '')
    if (!parentId || isHistory(task) || copies.newTasks.length === MAX_SUBTASKS) continue
    const id = context.newId()
    parents.set(task.id, id)
    const copy = carryReminders(
      { task, reminders },
      { ...freshOf(task, step), id, parentId, createdAt: context.now, updatedAt: context.now },
      context,
      (instant) => step.instant(instant, task.timeZone),
    )
    copies.newTasks.push(copy.task)
    copies.newReminders.push(...copy.newReminders)
    copies.facts.push(taskFact(TaskCreated, copy.task), ...copy.facts)
  }
  return copies
}

const freshOf = (task: Task, step: Step): Task => {
  const dueAt = task.dueAt && step.instant(task.dueAt, task.timeZone)
  return {
    ...task,
    dueAt,
    dueDate: dueAt ? civilDate(dueAt, task.timeZone) : task.dueDate && step.date(task.dueDate),
    completedAt: null,
    deletedAt: null,
    seriesId: null,
    occurrenceAt: null,
    recurrenceRule: null,
    seriesTerms: null,
    version: 1,
  }
}

interface Step {
  instant(instant: Date, timeZone: string): Date
  date(date: string): string
}

/**
 * From one occurrence to another in whole days, so that a time of day stays what it is when a clock change has moved one
 * of them; in hours where a rule has several times of a day.
 */
function stepOf(series: Series, from: Slot, to: Slot): Step {
  const { rule, timeZone } = series
  const days = (Date.parse(slotDay(to, series)) - Date.parse(slotDay(from, series))) / DAY_MS
  const hasTimes = /FREQ=HOURLY|BYHOUR|BYMINUTE/.test(rule)
  const ms = hasTimes ? wallMs(to, timeZone) - wallMs(from, timeZone) : days * DAY_MS
  return {
    instant: (instant, zone) => wallMsToInstant(wallMs(instant, zone) + ms, zone),
    date: (date) => addDays(date, days),
  }
}
