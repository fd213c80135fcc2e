import type { Occurrence, Series } from './series.ts'
import type { Task } from '../tasks/task.ts'

const isClosed = ({ state }: Occurrence): boolean => state === 'completed' || state === 'skipped'

/**
 * The occurrence from which a waiting series goes on. Closing it was the last change of the series; one that stands by
 * itself may have been closed after it and does not count. Where it was opened again by itself, the latest closing counts.
 */
export function lastStep(series: Series, recent: readonly Occurrence[]): Occurrence | null {
  const changedAt = series.updatedAt.getTime()
  const step = lastClosed(recent.filter(({ closedAt }) => closedAt?.getTime() === changedAt))
  return step ?? lastClosed(recent)
}

/** The occurrence that was completed or skipped last; an early one may lie after it. */
export function lastClosed(occurrences: readonly Occurrence[]): Occurrence | null {
  const closed = occurrences.filter(isClosed)
  return closed.reduce<Occurrence | null>((last, one) => (last && !closedAfter(one, last) ? last : one), null)
}

const closedAfter = (a: Occurrence, b: Occurrence): boolean =>
  Number(a.closedAt) - Number(b.closedAt) > 0 ||
  (Number(a.closedAt) === Number(b.closedAt) && a.occurrenceAt > b.occurrenceAt)

/**
 * Whether the series took its last step with this task, so that undoing the step can make it the open occurrence
 * again. Not so when a later occurrence stands by itself, open or closed.
 */
export function tookLastStep(task: Task, series: Series, recent: readonly Occurrence[]): boolean {
  const { liveTaskId } = series
  const last = liveTaskId === null ? lastStep(series, recent) : lastClosed(recent)
  if (last?.taskId !== task.id) return false
  return !recent.some(
    (one) => one.state === 'open' && one.taskId !== liveTaskId && one.occurrenceAt > last.occurrenceAt,
  )
}
