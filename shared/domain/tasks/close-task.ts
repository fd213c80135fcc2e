import { revise, seriesFact, taskFact, type TaskDecision } from '../decision.ts'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import {
  OccurrenceSkipped,
  SeriesEnded,
  SeriesUpdated,
  TaskCompleted,
  TaskDeleted,
  TaskReopened,
  TaskRestored,
} from '../events.ts'
import { openOccurrence } from '../recurrence/new-series.ts'
import { termsOf, type Occurrence, type OccurrenceState, type Series } from '../recurrence/series.ts'
import type { Task } from './task.ts'

export const RESTORE_DAYS = 30

interface State {
  task: Task
  series: Series | null
}

/** Completes a task. Completing one that is complete changes nothing. The next occurrence follows by event. */
export function decideComplete({ task, series }: State, now: Date): TaskDecision {
  if (task.completedAt) return { task, facts: [] }
  const after = revise(task, now, { completedAt: now })
  return { ...closing({ task, series }, after, 'completed', now), facts: [taskFact(TaskCompleted, after)] }
}

/** Leaves one occurrence out; the series goes on with the next. The skipped task is deleted but stays in the history. */
export function decideSkip({ task, series }: State, now: Date): TaskDecision {
  if (!series || task.recurrenceRule === null || series.liveTaskId !== task.id) {
    throw new DomainError(
      'task.not_recurring',
      'Only the open occurrence of a recurring task can be skipped.',
    )
  }
  const after = revise(task, now, { deletedAt: now })
  return { ...closing({ task, series }, after, 'skipped', now), facts: [taskFact(OccurrenceSkipped, after)] }
}

/** Deletes a task for now (it can be restored for 30 days). Deleting the open occurrence ends its series. */
export function decideDelete({ task, series }: State, now: Date): TaskDecision {
  const after = revise(task, now, { deletedAt: now })
  const changedTasks = [{ before: task, after }]
  const decision = {
    ...(task.completedAt ? { task: after, changedTasks } : closing({ task, series }, after, 'skipped', now)),
    facts: [taskFact(TaskDeleted, after)],
  }
  if (series?.liveTaskId !== task.id) return decision
  const ended = revise(series, now, { liveTaskId: null, state: 'ended' })
  return { ...decision, series: ended, facts: [...decision.facts, seriesFact(SeriesEnded, ended)] }
}

export interface Undo extends State {
  /** Whether the series took its last step with this task; see tookLastStep. */
  isLast: boolean
}

/**
 * Opens a completed task again. A successor nobody has touched makes way; one that was changed is not thrown away. An
 * occurrence that others have followed since is opened as a task by itself.
 */
export function decideReopen(
  { task, series, isLast }: Undo,
  successor: Task | null,
  now: Date,
): TaskDecision {
  if (!task.completedAt) return { task, facts: [] }
  const isBack = series !== null && isLast && task.recurrenceRule !== null
  const after = revise(task, now, { completedAt: null, ...(isBack ? seriesFields(series) : DETACHED) })
  const facts = [taskFact(TaskReopened, after)]
  const changedTasks = [{ before: task, after }]
  const decision = { task: after, changedTasks, ...reopening({ task, series }), facts }
  if (!isBack) return decision

  if (successor) {
    if (!isUntouched(successor)) {
      throw new DomainError(
        'task.successor_exists',
        'The next occurrence has been changed already; edit that one.',
      )
    }
    return takingPlaceOf(successor, decision, { series, now })
  }
  const revived = revise(series, now, { state: 'active', liveTaskId: task.id })
  const revival = series.state === 'ended' ? [seriesFact(SeriesUpdated, revived)] : []
  return { ...decision, series: revived, facts: [...facts, ...revival] }
}

const isUntouched = (successor: Task): boolean => successor.version === 1 && successor.occurrenceAt !== null

/** The decision, and the successor makes way: the task it came from is the open occurrence again. */
function takingPlaceOf(
  successor: Task,
  decision: TaskDecision,
  { series, now }: { series: Series; now: Date },
): TaskDecision {
  // Its place may be given to another task; should it be restored, it is a task by itself.
  const ofNoSeries = { seriesId: null, occurrenceAt: null, recurrenceRule: null, seriesTerms: null }
  const removed = revise(successor, now, { deletedAt: now, ...ofNoSeries })
  const revived = revise(series, now, { state: 'active', liveTaskId: decision.task.id })
  return {
    ...decision,
    changedTasks: [...(decision.changedTasks ?? []), { before: successor, after: removed }],
    series: { ...revived, generated: series.generated - 1 },
    droppedOccurrences: [{ seriesId: series.id, occurrenceAt: successor.occurrenceAt! }],
    facts: [...decision.facts, taskFact(TaskDeleted, removed)],
  }
}

/**
 * Brings a deleted task back. Its series goes on with it: a skip is undone, and a successor nobody has touched makes way.
 * Where others have followed, or the successor has been changed, the task comes back by itself.
 */
export function decideRestore(
  { task, series, isLast }: Undo,
  successor: Task | null,
  now: Date,
): TaskDecision {
  if (!task.deletedAt) return { task, facts: [] }
  if (now.getTime() - task.deletedAt.getTime() > RESTORE_DAYS * DAY_MS) {
    throw new DomainError('task.restore_expired', `A deleted task can be restored for ${RESTORE_DAYS} days.`)
  }
  const isOpen = task.completedAt === null
  const hasPlace = !series?.liveTaskId || (successor !== null && isUntouched(successor))
  const isBack = series !== null && isLast && isOpen && task.recurrenceRule !== null && hasPlace
  const place = isBack ? seriesFields(series) : isOpen ? DETACHED : {}
  const after = revise(task, now, { deletedAt: null, ...place })
  const decision = {
    task: after,
    changedTasks: [{ before: task, after }],
    ...(isOpen && reopening({ task, series })),
    facts: [taskFact(TaskRestored, after)],
  }
  if (!isBack) return decision
  if (successor) return takingPlaceOf(successor, decision, { series, now })
  const revived = revise(series, now, { state: 'active', liveTaskId: task.id })
  return { ...decision, series: revived, facts: [...decision.facts, seriesFact(SeriesUpdated, revived)] }
}

/** What the open occurrence says of its series; it may have changed while this one was closed. */
const seriesFields = (series: Series) => ({
  recurrenceRule: series.rule,
  repeatFrom: series.repeatFrom,
  seriesTerms: termsOf(series),
})
const DETACHED = { recurrenceRule: null }

const reopening = ({ task, series }: State): { changedOccurrences?: Occurrence[] } =>
  series && task.occurrenceAt
    ? { changedOccurrences: [openOccurrence(series, task.occurrenceAt, task.id)] }
    : {}

function closing(
  { task, series }: State,
  after: Task,
  state: OccurrenceState,
  now: Date,
): Omit<TaskDecision, 'facts'> & { series?: Series } {
  const changedTasks = [{ before: task, after }]
  if (!series || !task.occurrenceAt) return { task: after, changedTasks }
  const closed: Occurrence = {
    seriesId: series.id,
    occurrenceAt: task.occurrenceAt,
    state,
    taskId: task.id,
    closedAt: now,
  }
  const isLive = series.liveTaskId === task.id
  return {
    task: after,
    changedTasks,
    changedOccurrences: [closed],
    ...(isLive && { series: revise(series, now, { liveTaskId: null }) }),
  }
}
