import { tookLastStep } from '../../domain/recurrence/last-occurrence.ts'
import type { Undo } from '../../domain/tasks/close-task.ts'
import { MAX_TAKEN_ALONG, type Followers } from '../../domain/tasks/subtasks.ts'
import { recentOccurrences } from '../recurrence/recent-occurrences.ts'
import type { Loaded } from './write-task.ts'

/** What opening a task again depends on, and the open occurrence that has followed it, if any. */
export async function loadUndo({ task, series, store }: Loaded): Promise<[undo: Undo, followers: Followers]> {
  const liveId = series?.liveTaskId ?? null
  const recent = series ? await recentOccurrences(store, series) : []
  const [successor = null] = liveId && liveId !== task.id ? await store.loadTasks(task.userId, [liveId]) : []
  const copies = successor
    ? await store.loadSubtasks(task.userId, successor.id, { deletedAt: null, limit: MAX_TAKEN_ALONG })
    : []
  const isLast = series !== null && tookLastStep(task, series, recent)
  return [
    { task, series, isLast },
    { successor, copies },
  ]
}
