import { decideReopen } from '../domain/close-task.ts'
import type { TaskView } from '../domain/task.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'
import { writeTask } from './write-task.ts'

/** Opens a completed task again; see decideReopen for what becomes of the next occurrence. */
export function reopenTask(deps: Deps, write: WriteContext, taskId: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, taskId, async ({ task, series, store }) => {
    const liveId = series?.liveTaskId
    const [successor] = liveId && liveId !== task.id ? await store.loadTasks(task.userId, [liveId]) : []
    return decideReopen({ task, series }, successor ?? null, write.now)
  })
}
