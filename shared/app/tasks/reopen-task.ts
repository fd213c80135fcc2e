import { NOTHING_BELOW, decideReopenWith } from '../../domain/tasks/subtasks.ts'
import type { TaskView } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { loadBelow } from './load-below.ts'
import { loadUndo } from './undo-step.ts'
import { writeTask } from './write-task.ts'

export function reopenTask(deps: Writing, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id }, async (loaded) => {
    const { completedAt } = loaded.task
    const [undo, followers] = await loadUndo(loaded)
    const below = completedAt
      ? await loadBelow(loaded.store, loaded, { deletedAt: null, completedAt }, completedAt)
      : NOTHING_BELOW
    return decideReopenWith(undo, followers, below, write.now)
  })
}
