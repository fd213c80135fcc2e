import { carryReminders } from './carried-reminders.ts'
import { fact, revise, seriesFact, type Decision } from './decision.ts'
import { OccurrenceGenerated, RecurringTaskError, SeriesEnded, type Maker } from './events.ts'
import { lastStep } from './last-occurrence.ts'
import { asOccurrence, openOccurrence } from './new-series.ts'
import {
  firstOccurrence,
  nextOccurrence,
  occurrenceAfterCompletion,
  occurrencesBetween,
  type RecurrencePattern,
} from './recurrence.ts'
import { RecurrenceError } from './recurrence-rule.ts'
import { positionAt } from './reorder.ts'
import { patternOf, type Occurrence, type Series } from './series.ts'
import { taskView, type Task } from './task.ts'
import type { RemindedTask } from './task-reminders.ts'

/** How many passed-over occurrences are recorded as `missed` at one time. */
const MOST_MISSED = 1000

/** Everything a decision about a series needs: it is made from state alone, never from what an event claims. */
export interface SeriesState {
  series: Series
  /** The occurrence closed last, and all that lie after it or after its closing. */
  recent: readonly Occurrence[]
  /** Instants that are taken although no occurrence above says so. */
  refused?: readonly Date[]
  /** The task that was closed last: its successor takes its place in the user's order and has its reminders. */
  last: RemindedTask | null
}

/**
 * The next occurrence of a series that has none, or its end when the rule has run out; null when there is nothing to
 * do. The next one is the first after both the last occurrence and the moment it was closed; those in between are
 * recorded as missed. With `repeat_from: completion` the rule starts anew on the day of completion.
 */
export function decideNextOccurrence(
  { series, recent, refused = [], last }: SeriesState,
  context: { taskId: string; newId: () => string; now: Date; madeBy: Maker },
): Decision | null {
  if (series.state !== 'active' || series.liveTaskId !== null) return null
  const { now } = context
  const outcome = tryRule(series, recent, refused, now)
  if ('broken' in outcome) return decideBroken(series, outcome.broken, now)
  const { next, missed } = outcome
  const missedRows = missed.map<Occurrence>((occurrenceAt) => ({
    ...{ seriesId: series.id, occurrenceAt, state: 'missed', taskId: null, closedAt: now },
  }))
  if (!next) {
    const ended = revise(series, now, { state: 'ended' })
    return {
      ...{ series: ended, newOccurrences: missedRows, facts: [seriesFact(SeriesEnded, ended)] },
    }
  }
  const blank: Task = {
    ...{ id: context.taskId, userId: series.userId, ...series.template, completedAt: null, remindAt: null },
    ...{
      dueAt: null,
      dueDate: null,
      timeZone: series.timeZone,
      position: last?.task.position ?? positionAt(now),
    },
    ...{
      seriesId: series.id,
      occurrenceAt: next,
      recurrenceRule: series.rule,
      repeatFrom: series.repeatFrom,
    },
    ...{ version: 1, createdAt: now, updatedAt: now, deletedAt: null },
  }
  const { task, newReminders, facts } = carryReminders(last, asOccurrence(blank, series, next), context)
  const data = {
    task: taskView(task),
    missed: missed.map((date) => date.toISOString()),
    made_by: context.madeBy,
  }
  return {
    newTasks: [task],
    series: revise(series, now, { liveTaskId: task.id, generated: series.generated + 1 }),
    newOccurrences: [...missedRows, openOccurrence(series, next, task.id)],
    newReminders,
    facts: [fact(OccurrenceGenerated, `task/${task.id}`, data), ...facts],
  }
}

interface Outcome {
  next: Date | null
  missed: Date[]
}

/** A stored rule that this version refuses (its grammar was wider once) must not be retried for ever. */
function tryRule(
  series: Series,
  recent: readonly Occurrence[],
  refused: readonly Date[],
  now: Date,
): Outcome | { broken: string } {
  const last = lastStep(series, recent)
  const closedAt = last?.closedAt ?? now
  // An instant happens once. One completed ahead of its time, or an edited rule, would otherwise hit it again.
  const taken = [...recent.map(({ occurrenceAt }) => occurrenceAt), ...refused]
  try {
    const pattern = { ...patternOf(series), exdates: [...series.exdates, ...taken] }
    if (series.repeatFrom === 'due') return fromDue(pattern, last, closedAt)
    const isSpent = series.generated >= (pattern.rule.count ?? Infinity)
    return { next: isSpent ? null : occurrenceAfterCompletion(pattern, closedAt), missed: [] }
  } catch (error) {
    if (error instanceof RecurrenceError) return { broken: error.message }
    throw error
  }
}

function fromDue(pattern: RecurrencePattern, last: Occurrence | null, closedAt: Date): Outcome {
  if (!last) return { next: firstOccurrence(pattern), missed: [] }
  const base = last.occurrenceAt
  if (closedAt <= base) return { next: nextOccurrence(pattern, base), missed: [] }
  const missed = occurrencesBetween(pattern, base, closedAt, MOST_MISSED)
  return { next: nextOccurrence(pattern, closedAt), missed }
}

function decideBroken(series: Series, reason: string, now: Date): Decision {
  const ended = revise(series, now, { state: 'ended' })
  return {
    series: ended,
    facts: [fact(RecurringTaskError, `series/${series.id}`, { series_id: series.id, reason })],
  }
}
