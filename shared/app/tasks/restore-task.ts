import { NOTHING_BELOW, decideRestoreWith } from '../../domain/tasks/subtasks.ts'
import type { TaskView } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { loadPlace } from './check-parent.ts'
import { loadBelow } from './load-below.ts'
import { loadUndo } from './undo-step.ts'
import { writeTask } from './write-task.ts'

export function restoreTask(deps: Writing, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id, includeDeleted: true }, async (loaded) => {
    const { task, store } = loaded
    const { deletedAt, parentId, userId } = task
    const [undo, followers] = await loadUndo(loaded)
    const below = deletedAt ? await loadBelow(store, loaded, { deletedAt }, deletedAt) : NOTHING_BELOW
    const place = deletedAt && parentId ? await loadPlace(store, userId, parentId) : null
    return decideRestoreWith(undo, followers, { below, place, now: write.now })
  })
}
