import { z } from 'zod'
import { fact, type Decision } from '../domain/decision.ts'
import { invalidField } from '../domain/errors.ts'
import { TaskReordered } from '../domain/events.ts'
import { uuid } from '../domain/fields.ts'
import { decideMove, decideOrder, SPACING, type Placed } from '../domain/reorder.ts'
import { commitWrite, replayStored, withoutConflict } from './commit-decision.ts'
import type { Answer, ChangeStore, Deps, WriteContext } from './ports.ts'
import { taskNotFound } from './write-task.ts'

/** How many followers are read at a time when a move finds no room. */
const FOLLOWERS = 500

export const ReorderRequest = z
  .union([
    z.strictObject({ task_ids: z.array(uuid).min(1).max(10_000) }),
    z.strictObject({ task_id: uuid, before: uuid }),
    z.strictObject({ task_id: uuid, after: uuid }),
  ])
  .meta({ id: 'ReorderRequest' })
export type ReorderRequest = z.infer<typeof ReorderRequest>

export const ReorderResult = z
  .object({ moved: z.array(z.object({ task_id: z.uuid(), position: z.int(), version: z.int() })) })
  .meta({ id: 'ReorderResult' })
export type ReorderResult = z.infer<typeof ReorderResult>

/** Puts a list of tasks in order, or moves one before or after another. Answers the tasks whose place has changed. */
export function reorderTasks(
  deps: Deps,
  write: WriteContext,
  request: ReorderRequest,
): Promise<Answer<ReorderResult>> {
  const { userId } = write.actor
  return withoutConflict(deps, userId, async (store) => {
    const earlier = await replayStored<ReorderResult>(store, write)
    if (earlier) return earlier
    const moved =
      'task_ids' in request ? await order(store, userId, request) : await move(store, userId, request)
    const positions = moved.map(({ id, position, version }) => ({ task_id: id, position, version }))
    const decision: Decision = {
      movedTasks: moved,
      facts: moved.length > 0 ? [fact(TaskReordered, `user/${userId}`, { positions })] : [],
    }
    return commitWrite(deps, store, write, { decision, body: { moved: positions } })
  })
}

async function order(
  store: ChangeStore,
  userId: string,
  { task_ids: ids }: { task_ids: string[] },
): Promise<Placed[]> {
  const seen = new Set<string>()
  const twice = ids.findIndex((id) => seen.size === seen.add(id).size)
  if (twice >= 0) throw invalidField(`task_ids.${twice}`, 'is named twice')
  const tasks = await store.loadTasks(userId, ids)
  const known = new Set(tasks.map((task) => task.id))
  const missing = ids.findIndex((id) => !known.has(id))
  if (missing >= 0) throw invalidField(`task_ids.${missing}`, 'there is no such task')
  return decideOrder(tasks, ids)
}

async function move(
  store: ChangeStore,
  userId: string,
  request: { task_id: string } & ({ before: string } | { after: string }),
): Promise<Placed[]> {
  const side = 'before' in request ? 'before' : 'after'
  const anchorId = 'before' in request ? request.before : request.after
  if (anchorId === request.task_id) throw invalidField(side, 'must be another task than task_id')
  const tasks = await store.loadTasks(userId, [request.task_id, anchorId])
  const task = tasks.find(({ id }) => id === request.task_id)
  const anchor = tasks.find(({ id }) => id === anchorId)
  if (!task) throw taskNotFound()
  if (!anchor) throw invalidField(side, 'there is no such task')

  const above =
    side === 'after' ? anchor : await store.loadPreceding(userId, { ...anchor, excluding: task.id })
  const following: Placed[] = side === 'before' ? [anchor] : []
  let from: Placed = anchor
  while (!hasRoom(above, following)) {
    const more = await store.loadFollowing(userId, from, FOLLOWERS)
    following.push(...more.filter(({ id }) => id !== task.id))
    if (more.length < FOLLOWERS) break
    from = more.at(-1)!
  }
  return decideMove(task, above, following)
}

/** Whether what is read so far suffices: the neighbours leave a place, or a gap further on takes up the push. */
function hasRoom(above: Placed | null, following: readonly Placed[]): boolean {
  const below = following[0]
  if (!below) return false
  if (!above || below.position - above.position > 1) return true
  return following.at(-1)!.position > above.position + SPACING * (following.length + 1)
}
