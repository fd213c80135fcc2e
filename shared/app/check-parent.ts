import { invalidField } from '../domain/errors.ts'
import type { ChangeStore } from './ports.ts'

/** Below this the store does not look for a task among its own ancestors. */
const MOST_LEVELS = 100

/** A parent must be a task of the same user, and not the task itself or one below it. */
export async function checkParent(
  store: ChangeStore,
  userId: string,
  taskId: string | null,
  parentId: string | null | undefined,
): Promise<void> {
  if (!parentId) return
  const line = await store.ancestors(userId, parentId)
  if (line.length === 0) throw invalidField('parent_id', 'there is no such task')
  if (line.length > MOST_LEVELS) throw invalidField('parent_id', 'is nested too deeply')
  if (taskId !== null && line.includes(taskId))
    throw invalidField('parent_id', 'a task cannot be below itself')
}
