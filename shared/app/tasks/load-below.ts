import { DomainError } from '../../domain/errors.ts'
import { tookLastStep } from '../../domain/recurrence/last-occurrence.ts'
import type { Occurrence, Series } from '../../domain/recurrence/series.ts'
import { MAX_TAKEN_ALONG, NOTHING_BELOW, type Below } from '../../domain/tasks/subtasks.ts'
import type { Task } from '../../domain/tasks/task.ts'
import { recentOccurrences } from '../recurrence/recent-occurrences.ts'
import type { ChangeStore } from '../ports.ts'
import type { SubtaskQuery } from './ports.ts'

type Reads = Pick<ChangeStore, 'loadSubtasks' | 'loadSeriesBelow' | 'lastClosed' | 'loadOccurrences'>

/**
 * What lies below a task with the series it belongs to; series that were waiting, when what was closed at `endedAt` is to be
 * opened again. Refuses more than one request may write.
 */
export async function loadBelow(
  store: Reads,
  { task, hasSubtasks }: { task: Task; hasSubtasks: boolean },
  query: Omit<SubtaskQuery, 'limit'>,
  endedAt: Date | null = null,
): Promise<Below> {
  if (!hasSubtasks) return NOTHING_BELOW
  const tasks = await store.loadSubtasks(task.userId, task.id, { ...query, limit: MAX_TAKEN_ALONG + 1 })
  if (tasks.length > MAX_TAKEN_ALONG) {
    const most = new Intl.NumberFormat('en').format(MAX_TAKEN_ALONG)
    throw new DomainError(
      'quota.exceeded',
      `More than ${most} tasks lie below this one; delete some of them first.`,
    )
  }
  const all = await store.loadSeriesBelow(task.userId, [task.id, ...tasks.map(({ id }) => id)], endedAt)
  const series = new Map(all.map((one) => [one.id, one]))
  const isWaiting = ({ state, updatedAt }: Series) =>
    endedAt ? state === 'ended' && updatedAt.getTime() === endedAt.getTime() : state === 'active'
  const waiting = all.filter((one) => one.id !== task.seriesId && !one.liveTaskId && isWaiting(one))
  const recent = new Map<string, Occurrence[]>()
  for (const [id, one] of series) recent.set(id, await recentOccurrences(store, one))
  const subtasks = tasks.map((subtask) => {
    const own = series.get(subtask.seriesId ?? '') ?? null
    const isLast = own !== null && tookLastStep(subtask, own, recent.get(own.id)!)
    return { task: subtask, series: own, isLast }
  })
  return { subtasks, waiting }
}
