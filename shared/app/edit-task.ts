import { decideEdit } from '../domain/edit-task.ts'
import type { EditScope, TaskInput, TaskPatch, TaskView } from '../domain/task.ts'
import { checkParent } from './check-parent.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'
import { writeTask, type Loaded } from './write-task.ts'

/** How many earlier occurrences an edit with `scope: all` rewrites, newest first. */
const MOST_SIBLINGS = 1000

/** Merge patch of one task, or of its series from here on. */
export function editTask(
  deps: Deps,
  write: WriteContext,
  request: { taskId: string; patch: TaskPatch; scope: EditScope },
): Promise<Answer<TaskView>> {
  const { taskId, patch, scope } = request
  // Two tasks put below each other at the same time would each find the other free.
  const isExclusive = typeof patch.parent_id === 'string'
  const decide = async ({ task, series, store }: Loaded) => {
    // A parent that has been deleted since may stay named, so that a client can send back what it got.
    if (patch.parent_id !== task.parentId) await checkParent(store, task.userId, task.id, patch.parent_id)
    const siblings =
      series && scope === 'all'
        ? await store.loadSiblings(task.userId, series.id, task.id, MOST_SIBLINGS)
        : []
    return decideEdit({ task, series, siblings }, patch, { scope, seriesId: deps.ids.uuid(), now: write.now })
  }
  return writeTask(deps, write, { id: taskId, isExclusive }, decide)
}

/**
 * A full replacement is a patch that names every field. Left out, the zone stays, and so do the dates of the series: a
 * client that sends back the task it got cannot know them.
 */
export const replacementOf = (input: TaskInput): TaskPatch => {
  const { time_zone, exdates, rdates, ...rest } = input
  return {
    ...rest,
    ...(time_zone !== undefined && { time_zone }),
    ...(exdates.length > 0 && { exdates }),
    ...(rdates.length > 0 && { rdates }),
  }
}
