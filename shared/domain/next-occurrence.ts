import { fact, revise, seriesFact, type Decision } from './decision.ts'
import { OccurrenceGenerated, RecurringTaskError, SeriesEnded, type Maker } from './events.ts'
import { asOccurrence, openOccurrence } from './new-series.ts'
import { nextOccurrence, occurrenceAfterCompletion, occurrencesBetween } from './recurrence.ts'
import { RecurrenceError } from './recurrence-rule.ts'
import { positionAt } from './reorder.ts'
import { patternOf, type Occurrence, type Series } from './series.ts'
import { taskView, type Task } from './task.ts'

/** How many passed-over occurrences are recorded as `missed` at one time. */
const MOST_MISSED = 1000

/** Everything a decision about a series needs: it is made from state alone, never from what an event claims. */
export interface SeriesState {
  series: Series
  /** The newest occurrence that was completed or skipped. */
  last: Occurrence | null
  lastTask: Task | null
}

/**
 * The next occurrence of a series that has none, or its end when the rule has run out; null when there is nothing to
 * do. The next one is the first after both the last occurrence and the moment it was closed; those in between are
 * recorded as missed. With `repeat_from: completion` the rule starts anew on the day of completion.
 */
export function decideNextOccurrence(
  { series, last, lastTask }: SeriesState,
  context: { taskId: string; now: Date; madeBy: Maker },
): Decision | null {
  if (series.state !== 'active' || series.liveTaskId !== null) return null
  const { now } = context
  const closedAt = last?.closedAt ?? now
  const outcome = tryRule(series, last, closedAt)
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
      position: lastTask?.position ?? positionAt(now),
    },
    ...{
      seriesId: series.id,
      occurrenceAt: next,
      recurrenceRule: series.rule,
      repeatFrom: series.repeatFrom,
    },
    ...{ version: 1, createdAt: now, updatedAt: now, deletedAt: null },
  }
  const task = asOccurrence(blank, series, next)
  const data = {
    task: taskView(task),
    missed: missed.map((date) => date.toISOString()),
    made_by: context.madeBy,
  }
  return {
    newTasks: [task],
    series: revise(series, now, { liveTaskId: task.id, generated: series.generated + 1 }),
    newOccurrences: [...missedRows, openOccurrence(series, next, task.id)],
    facts: [fact(OccurrenceGenerated, `task/${task.id}`, data)],
  }
}

interface Outcome {
  next: Date | null
  missed: Date[]
}

/** A stored rule that this version refuses (its grammar was wider once) must not be retried for ever. */
function tryRule(series: Series, last: Occurrence | null, closedAt: Date): Outcome | { broken: string } {
  try {
    return series.repeatFrom === 'completion'
      ? fromCompletion(series, closedAt)
      : fromDue(series, last, closedAt)
  } catch (error) {
    if (error instanceof RecurrenceError) return { broken: error.message }
    throw error
  }
}

function decideBroken(series: Series, reason: string, now: Date): Decision {
  const ended = revise(series, now, { state: 'ended' })
  return {
    series: ended,
    facts: [fact(RecurringTaskError, `series/${series.id}`, { series_id: series.id, reason })],
  }
}

function fromDue(series: Series, last: Occurrence | null, closedAt: Date): Outcome {
  const pattern = patternOf(series)
  const base = last?.occurrenceAt ?? new Date(series.startAt.getTime() - 1)
  const after = base > closedAt || !last ? base : closedAt
  const next = nextOccurrence(pattern, after)
  const missed = after > base ? occurrencesBetween(pattern, base, after, MOST_MISSED) : []
  return { next, missed }
}

function fromCompletion(series: Series, closedAt: Date): Outcome {
  const pattern = patternOf(series)
  const isSpent = pattern.rule.count !== undefined && series.generated >= pattern.rule.count
  return { next: isSpent ? null : occurrenceAfterCompletion(pattern, closedAt), missed: [] }
}
