import { decideReopen } from '../domain/close-task.ts'
import { tookLastStep } from '../domain/last-occurrence.ts'
import type { TaskView } from '../domain/task.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'
import { recentOccurrences } from './recent-occurrences.ts'
import { writeTask } from './write-task.ts'

/** Opens a completed task again; see decideReopen for what becomes of the next occurrence. */
export function reopenTask(deps: Deps, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id }, async ({ task, series, store }) => {
    const liveId = series?.liveTaskId ?? null
    const recent = series ? await recentOccurrences(store, series) : []
    const [successor] = liveId && liveId !== task.id ? await store.loadTasks(task.userId, [liveId]) : []
    const isLast = series !== null && tookLastStep(task, series, recent)
    return decideReopen({ task, series, isLast }, successor ?? null, write.now)
  })
}
