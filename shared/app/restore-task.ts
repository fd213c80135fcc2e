import { decideRestore } from '../domain/close-task.ts'
import { tookLastStep } from '../domain/last-occurrence.ts'
import type { TaskView } from '../domain/task.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'
import { recentOccurrences } from './recent-occurrences.ts'
import { writeTask } from './write-task.ts'

/** Brings a deleted task back; see decideRestore for what becomes of its series. */
export function restoreTask(deps: Deps, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id, includeDeleted: true }, async ({ task, series, store }) => {
    const recent = series ? await recentOccurrences(store, series) : []
    const isLast = series !== null && tookLastStep(task, series, recent)
    return decideRestore({ task, series, isLast }, write.now)
  })
}
