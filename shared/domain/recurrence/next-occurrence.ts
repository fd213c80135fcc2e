import { carryReminders } from '../reminders/carried-reminders.ts'
import { fact, revise, type Decision } from '../decision.ts'
import { OccurrenceGenerated, RecurringTaskError, SeriesEnded } from '../events.ts'
import { copySubtasks } from './copied-subtasks.ts'
import { lastStep } from './last-occurrence.ts'
import { asOccurrence, openOccurrence } from './new-series.ts'
import { dateSlot, passedAt, slotAt, slotText, type Slot } from './slots.ts'
import {
  firstOccurrence,
  nextOccurrence,
  occurrenceAfterCompletion,
  latestBetween,
  type RecurrencePattern,
} from './recurrence.ts'
import { RecurrenceError } from './recurrence-rule.ts'
import { positionAt } from '../tasks/reorder.ts'
import { patternOf, seriesView, type Occurrence, type Series } from './series.ts'
import { taskRecord, type Task } from '../tasks/task.ts'
import type { RemindedTask } from '../reminders/task-reminders.ts'

/** How many passed-over occurrences are recorded as `missed` at one time: the latest. */
const MAX_MISSED = 1000

/** Everything a decision about a series needs: it is made from state alone, never from what an event claims. */
export interface SeriesState {
  series: Series
  /** The occurrence closed last, and all that lie after it or after its closing. */
  recent: readonly Occurrence[]
  /** Instants that are taken although no occurrence above says so. */
  refused?: readonly Date[]
  /** The task that was closed last: its successor takes its place in the user's order and has its reminders and subtasks. */
  last: (RemindedTask & { subtasks: readonly RemindedTask[] }) | null
}

/**
 * The next occurrence of a series that has none, or its end when the rule has run out; null when there is nothing to
 * do. The next one is the first after the last occurrence that is not over when that was closed; those in between are
 * recorded as missed. With `repeat_from: completion` the rule starts anew on the day of completion.
 */
export function decideNextOccurrence(
  state: SeriesState,
  context: { taskId: string; newId: () => string; now: Date },
): Decision | null {
  const { series, last } = state
  if (series.state !== 'active' || series.liveTaskId !== null) return null
  const { now } = context
  const outcome = tryRule(state, now)
  if ('broken' in outcome) return decideBroken(series, outcome.broken, now)
  const { next, missed } = outcome
  const missedSlots = missed.map((slot) => slotText(slot, series))
  const missedRows = missed.map<Occurrence>((occurrenceAt) => ({
    seriesId: series.id,
    occurrenceAt,
    state: 'missed',
    taskId: null,
    closedAt: now,
  }))
  if (!next) {
    const ended = revise(series, now, { state: 'ended' })
    const data = { series: seriesView(ended), missed: missedSlots }
    const happened = fact(SeriesEnded, `series/${series.id}`, data)
    return { series: ended, newOccurrences: missedRows, facts: [happened] }
  }
  const blank: Task = {
    id: context.taskId,
    userId: series.userId,
    ...series.template,
    completedAt: null,
    remindAt: null,
    dueAt: null,
    dueDate: null,
    timeZone: series.timeZone,
    position: last?.task.position ?? positionAt(now),
    seriesId: series.id,
    occurrenceAt: next,
    recurrenceRule: series.rule,
    repeatFrom: series.repeatFrom,
    seriesTerms: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
  const step = lastStep(series, state.recent)
  const carrying = { ...context, closedAt: step?.closedAt ?? now }
  const { task, newReminders, facts } = carryReminders(last, asOccurrence(blank, series, next), carrying)
  const from = step?.occurrenceAt
  const copies =
    last && from ? copySubtasks(last.subtasks, { from, to: task, series, last: last.task }, carrying) : null
  const data = { task: taskRecord(task), missed: missedSlots }
  return {
    newTasks: [task, ...(copies?.newTasks ?? [])],
    series: revise(series, now, { liveTaskId: task.id, generated: series.generated + 1 }),
    newOccurrences: [...missedRows, openOccurrence(series, next, task.id)],
    newReminders: [...newReminders, ...(copies?.newReminders ?? [])],
    facts: [fact(OccurrenceGenerated, `task/${task.id}`, data), ...facts, ...(copies?.facts ?? [])],
  }
}

interface Outcome {
  next: Slot | null
  missed: Slot[]
}

/** A stored rule that this version refuses (its grammar was wider once) must not be retried for ever. */
function tryRule(state: SeriesState, now: Date): Outcome | { broken: string } {
  const { series, recent, refused = [] } = state
  const last = lastStep(series, recent)
  const closedAt = last?.closedAt ?? now
  // An instant happens once. One completed ahead of its time, or an edited rule, would otherwise hit it again.
  const taken = [...recent.map(({ occurrenceAt }) => occurrenceAt), ...refused]
  try {
    const pattern = { ...patternOf(series), exdates: [...series.exdates, ...taken] }
    if (series.repeatFrom === 'due') return fromDue(pattern, last, passedAt(closedAt, series))
    const isSpent = series.generated >= (pattern.rule.count ?? Infinity)
    const from = stepEnd(series, { last, task: state.last?.task ?? null, closedAt })
    return { next: isSpent ? null : occurrenceAfterCompletion(pattern, from), missed: [] }
  } catch (error) {
    if (error instanceof RecurrenceError) return { broken: error.message }
    throw error
  }
}

/** The day of completion; a skip never goes back behind what it leaves out, even if that had been moved by itself. */
function stepEnd(
  series: Series,
  { last, task, closedAt }: { last: Occurrence | null; task: Task | null; closedAt: Date },
): Slot {
  const closed = slotAt(closedAt, series)
  if (last?.state !== 'skipped') return closed
  const due = series.isAllDay ? task?.dueDate && dateSlot(task.dueDate) : task?.dueAt
  return new Date(Math.max(Number(closed), Number(last.occurrenceAt), Number(due ?? 0)))
}

function fromDue(pattern: RecurrencePattern, last: Occurrence | null, passed: Slot): Outcome {
  if (!last) return { next: firstOccurrence(pattern), missed: [] }
  const base = last.occurrenceAt
  if (passed <= base) return { next: nextOccurrence(pattern, base), missed: [] }
  const missed = latestBetween(pattern, base, passed, MAX_MISSED)
  return { next: nextOccurrence(pattern, passed), missed }
}

function decideBroken(series: Series, reason: string, now: Date): Decision {
  const ended = revise(series, now, { state: 'ended' })
  const data = { series_id: series.id, reason, series: seriesView(ended) }
  return { series: ended, facts: [fact(RecurringTaskError, `series/${series.id}`, data)] }
}
