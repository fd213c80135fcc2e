import type { TaskDecision } from '../../domain/decision.ts'
import { decideEdit } from '../../domain/tasks/edit-task.ts'
import { invalidField } from '../../domain/errors.ts'
import { branchOf, MAX_TAKEN_ALONG, refuseNestedRule } from '../../domain/tasks/subtasks.ts'
import {
  FLOATING,
  taskView,
  type EditScope,
  type Task,
  type TaskInput,
  type TaskPatch,
  type TaskView,
} from '../../domain/tasks/task.ts'
import { checkParent } from './check-parent.ts'
import type { Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { presentZone } from './present-zone.ts'
import { writeTask, writeTaskWith, type Loaded } from './write-task.ts'

/** How many other open tasks of a series an edit with `scope: all` rewrites: each is a row and an event. */
const MAX_SIBLINGS = 100

export function editTask(
  deps: Writing,
  write: WriteContext,
  { taskId, patch, scope }: { taskId: string; patch: TaskPatch; scope: EditScope },
): Promise<Answer<TaskView>> {
  // Two tasks put below each other at the same time would each find the other free, and meanwhile a parent may be deleted.
  const isExclusive = typeof patch.parent_id === 'string'
  return writeTask(deps, write, { id: taskId, isExclusive }, (loaded) =>
    edited(deps, write, loaded, { patch, scope }),
  )
}

/** Edits what `merge` makes of the task as it is by then, and tells what it found. */
export function mergeTask<Conflict>(
  deps: Writing,
  write: WriteContext,
  { taskId, scope, isExclusive }: { taskId: string; scope: EditScope; isExclusive: boolean },
  merge: (present: Task) => { patch: TaskPatch; conflicts: Conflict[] },
): Promise<Answer<{ task: TaskView; conflicts: Conflict[] }>> {
  return writeTaskWith(deps, write, { id: taskId, isExclusive }, async (loaded) => {
    const { patch, conflicts } = merge(loaded.task)
    const made = await edited(deps, write, loaded, { patch, scope })
    return { made, bodyOf: (task) => ({ task: taskView(task), conflicts }) }
  })
}

async function edited(
  deps: Writing,
  write: WriteContext,
  loaded: Loaded,
  { patch, scope }: { patch: TaskPatch; scope: EditScope },
): Promise<TaskDecision> {
  const { task, series, store } = loaded
  await checkPlace(loaded, patch)
  const siblings =
    series && scope === 'all'
      ? await store.loadOpenSiblings(task.userId, series.id, task.id, MAX_SIBLINGS + 1)
      : []
  if (siblings.length > MAX_SIBLINGS) {
    throw invalidField('scope', `the series has more than ${MAX_SIBLINGS} other open tasks; close some`)
  }
  const timeZone = patch.time_zone === FLOATING ? await presentZone(store, write.actor) : write.actor.timeZone
  const context = { scope, seriesId: deps.ids.uuid(), timeZone, now: write.now }
  return decideEdit({ task, series, siblings }, patch, context)
}

/** Whether the task may lie below its new parent, and may have its new rule where it lies. */
async function checkPlace({ task, hasSubtasks, store }: Loaded, patch: TaskPatch): Promise<void> {
  const { id, userId } = task
  const isMoved = typeof patch.parent_id === 'string' && patch.parent_id !== task.parentId
  const becomesRecurring = typeof patch.recurrence_rule === 'string' && task.recurrenceRule === null
  if (!isMoved && !becomesRecurring) return
  const below = hasSubtasks
    ? await store.loadSubtasks(userId, id, { deletedAt: null, limit: MAX_TAKEN_ALONG })
    : []
  const branch = branchOf(
    task,
    below.map((one) => ({ task: one })),
  )
  if (becomesRecurring) {
    const line = patch.parent_id === null ? [] : await store.ancestors(userId, id)
    refuseNestedRule(isMoved ? [] : line, branch)
  }
  const recurs = branch.recurs || becomesRecurring
  if (isMoved) await checkParent(store, userId, { ...branch, recurs }, patch.parent_id!)
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
