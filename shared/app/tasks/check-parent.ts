import { invalidField } from '../../domain/errors.ts'
import { objectionTo, type Branch, type Place } from '../../domain/tasks/subtasks.ts'
import type { ChangeStore } from '../ports.ts'

type Reads = Pick<ChangeStore, 'ancestors' | 'countSubtasks'>

export async function loadPlace(store: Reads, userId: string, parentId: string): Promise<Place> {
  const line = await store.ancestors(userId, parentId)
  const top = line.at(-1)
  return { line, size: top ? await store.countSubtasks(userId, top.id) : 0 }
}

/** A parent must be a task of the same user, not the task itself or one below it, and have room. */
export async function checkParent(
  store: Reads,
  userId: string,
  branch: Branch,
  parentId: string,
): Promise<Place> {
  const place = await loadPlace(store, userId, parentId)
  const top = branch.id ? (await store.ancestors(userId, branch.id)).at(-1) : undefined
  const isCounted = top !== undefined && top.id !== branch.id && top.id === place.line.at(-1)?.id
  const size = isCounted ? place.size - branch.size : place.size
  const objection = objectionTo({ ...place, size }, branch)
  if (objection) throw invalidField('parent_id', objection)
  return place
}
