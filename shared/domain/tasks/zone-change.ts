import { fact, revise, updatedFact, type Decision } from '../decision.ts'
import { ReminderRescheduled, SeriesUpdated, TaskUpdated } from '../events.ts'
import { seriesView, termsOf, type Occurrence, type Series } from '../recurrence/series.ts'
import { slotText, type Slot } from '../recurrence/slots.ts'
import { civilDate, wallToInstant, type WallTime } from '../recurrence/wall-clock.ts'
import { reminderFact } from '../reminders/new-reminder.ts'
import type { Reminder } from '../reminders/reminder.ts'
import { isOpen, moveReminder, remindersFollowing, sameInstant } from '../reminders/task-reminders.ts'
import { taskRecord, type Task } from './task.ts'

/** A task with what its instants mean on the wall, which stays when the rules of its zone, or its zone, change. */
export interface WalledTask {
  task: Task
  dueWall: WallTime | null
  remindWall: WallTime | null
  /** All that the user has not removed. */
  reminders: readonly { reminder: Reminder; wall: WallTime | null }[]
}

export interface WalledSeries {
  series: Series
  walls: { start: WallTime; exdates: readonly WallTime[]; rdates: readonly WallTime[] }
  /** The one that was closed last, and all that a next one could hit; each with the zone its wall time is of. */
  occurrences: readonly { occurrence: Occurrence; wall: WallTime; timeZone: string }[]
  tasks: readonly WalledTask[]
}

interface Context {
  now: Date
  newId: () => string
  /** Where the wall is: the zone that task or series has, or is to have. */
  timeZone: string
}

/** The instants of an open task and of its reminders by the rules of now; null when they are what they were. */
export function decideTaskAgain(walled: WalledTask, context: Context): Decision | null {
  const changed = changedTask(walled.task, derived(walled, context), context.now)
  const reminders = remindersAgain(walled, changed?.after ?? walled.task, context)
  if (!changed && reminders.facts.length === 0) return null
  const { id, version } = walled.task
  return {
    ...(changed ? { changedTasks: [changed] } : { unchangedTasks: [{ id, version }] }),
    ...reminders,
    facts: [...(changed ? [changed.fact] : []), ...reminders.facts],
  }
}

/** A series with its open occurrence, and every occurrence whose instant a next one could hit, by the rules of now. */
export function decideSeriesAgain(
  { series, walls, occurrences, tasks }: WalledSeries,
  context: Context,
): Decision | null {
  const { timeZone, now } = context
  // Dates are the same in every zone.
  const derive = (wall: WallTime, zone = timeZone) => wallToInstant(wall, series.isAllDay ? 'UTC' : zone)
  const after: Series = {
    ...series,
    timeZone,
    startAt: derive(walls.start),
    exdates: walls.exdates.map((wall) => derive(wall)),
    rdates: walls.rdates.map((wall) => derive(wall)),
  }
  const moved = occurrences.flatMap(({ occurrence, wall, timeZone: zone }) => {
    const at = derive(wall, zone === series.timeZone ? timeZone : zone)
    return sameInstant(at, occurrence.occurrenceAt) ? [] : [{ occurrence, at }]
  })
  const instants = new Map(moved.map(({ occurrence, at }) => [occurrence.taskId, at]))
  const parts = tasks.map((walled) => {
    const { task } = walled
    const occurrenceAt = instants.get(task.id) ?? task.occurrenceAt
    const again = isOpen(task) ? derived(walled, context) : task
    const seriesTerms = task.id === series.liveTaskId ? termsOf(after) : task.seriesTerms
    const changed = changedTask(task, { ...again, occurrenceAt, seriesTerms }, now)
    return {
      changed,
      reminders: isOpen(task) ? remindersAgain(walled, changed?.after ?? task, context) : null,
    }
  })
  const changedTasks = parts.flatMap(({ changed }) => changed ?? [])
  const reminders = parts.flatMap((part) => part.reminders ?? [])
  const isSame = JSON.stringify(after) === JSON.stringify(series)
  if (isSame && moved.length + changedTasks.length + reminders.flatMap(({ facts }) => facts).length === 0)
    return null
  // A series that waits goes on from the occurrence whose closing was its last change.
  const revised = { ...revise(after, now, {}), updatedAt: series.updatedAt }
  const text = (slot: Slot) => slotText(slot, series)
  const told = {
    series: seriesView(revised),
    moved: moved.map(({ occurrence, at }) => ({ from: text(occurrence.occurrenceAt), to: text(at) })),
  }
  return {
    series: revised,
    changedTasks,
    droppedOccurrences: moved.map(({ occurrence }) => occurrence),
    newOccurrences: moved.map(({ occurrence, at }) => ({ ...occurrence, occurrenceAt: at })),
    newReminders: reminders.flatMap(({ newReminders }) => newReminders),
    changedReminders: reminders.flatMap(({ changedReminders }) => changedReminders),
    knownReminders: {
      taskIds: reminders.flatMap(({ knownReminders }) => knownReminders.taskIds),
      reminders: reminders.flatMap(({ knownReminders }) => knownReminders.reminders),
    },
    facts: [
      ...changedTasks.map((one) => one.fact),
      fact(SeriesUpdated, `series/${series.id}`, told),
      ...reminders.flatMap(({ facts }) => facts),
    ],
  }
}

function derived({ task, dueWall, remindWall }: WalledTask, { timeZone }: Context): Task {
  const dueAt = task.dueAt && dueWall ? wallToInstant(dueWall, timeZone) : task.dueAt
  const remindAt = task.remindAt && remindWall ? wallToInstant(remindWall, timeZone) : task.remindAt
  return { ...task, timeZone, dueAt, dueDate: dueAt ? civilDate(dueAt, timeZone) : task.dueDate, remindAt }
}

function changedTask(before: Task, wanted: Task, now: Date) {
  if (JSON.stringify(before) === JSON.stringify(wanted)) return null
  const after = revise(wanted, now, {})
  // The zone of one that floats is not seen, but counts.
  const unseen = fact(TaskUpdated, `task/${after.id}`, { task: taskRecord(after), changes: {} })
  return { before, after, fact: updatedFact(before, after) ?? unseen }
}

function remindersAgain({ task, reminders }: WalledTask, after: Task, context: Context) {
  const { now } = context
  const isAbsolute = ({ origin, offsetMinutes }: Reminder) => origin !== 'task' && offsetMinutes === null
  const moved = reminders.flatMap(({ reminder, wall }) => {
    if (!isAbsolute(reminder) || wall === null) return []
    const zone = reminder.timeZone === task.timeZone ? context.timeZone : reminder.timeZone
    const time = wallToInstant(wall, zone)
    if (sameInstant(time, reminder.remindAt) || reminder.firedAt !== null) return []
    return [revise(moveReminder(reminder, time, { task: after, now }), now, {})]
  })
  const others = reminders.map(({ reminder }) => reminder).filter((one) => !isAbsolute(one))
  const following = remindersFollowing([{ task: after, reminders: others }], context)
  const all = reminders.map(({ reminder: { id, version } }) => ({ id, version }))
  return {
    newReminders: following.newReminders,
    changedReminders: [...moved, ...following.changedReminders],
    knownReminders: { taskIds: [task.id], reminders: all },
    facts: [...moved.map((one) => reminderFact(ReminderRescheduled, one, after)), ...following.facts],
  }
}
