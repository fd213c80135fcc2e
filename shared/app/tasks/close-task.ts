import { z } from 'zod'
import {
  decideCompleteWith,
  decideDeleteWith,
  decideSkipWith,
  NOTHING_BELOW,
} from '../../domain/tasks/subtasks.ts'
import type { TaskView } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { loadBelow } from './load-below.ts'
import { writeTask } from './write-task.ts'

export const SubtasksOfCompleted = z
  .enum(['complete', 'keep'])
  .default('complete')
  .describe('What becomes of open subtasks: they are completed too, or stay open')

export function completeTask(
  deps: Writing,
  write: WriteContext,
  { id, subtasks }: { id: string; subtasks: z.infer<typeof SubtasksOfCompleted> },
): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id }, async (loaded) => {
    const isAlone = subtasks === 'keep' || loaded.task.completedAt !== null
    const open = { deletedAt: null, completedAt: null }
    const below = isAlone ? NOTHING_BELOW : await loadBelow(loaded.store, loaded, open)
    const { emptied, ...decision } = decideCompleteWith(loaded, below, write.now)
    return { ...decision, ...(emptied && !isAlone && { emptied }) }
  })
}

export function deleteTask(deps: Writing, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id }, async (loaded) =>
    decideDeleteWith(loaded, await loadBelow(loaded.store, loaded, { deletedAt: null }), write.now),
  )
}

export function skipOccurrence(deps: Writing, write: WriteContext, id: string): Promise<Answer<TaskView>> {
  return writeTask(deps, write, { id }, async (loaded) =>
    decideSkipWith(loaded, await loadBelow(loaded.store, loaded, { deletedAt: null }), write.now),
  )
}
