import { z } from 'zod'
import { fact, type Decision } from '../../domain/decision.ts'
import { invalidField } from '../../domain/errors.ts'
import { TaskReordered } from '../../domain/events.ts'
import { uuid } from '../../domain/fields.ts'
import { decideMove, decideOrder, SPACING, type Placed } from '../../domain/tasks/reorder.ts'
import { commitWrite, replayStored, type Writing } from '../commit-decision.ts'
import type { Answer, ChangeStore, WriteContext } from '../ports.ts'
import { retryExclusively } from '../retry-on-conflict.ts'
import { taskNotFound } from './write-task.ts'

const MAX_MOVED = 1000
/** How many followers are read at a time when a move finds no room. */
const FOLLOWERS = 500

export const ReorderRequest = z
  .union([
    z.strictObject({ task_ids: z.array(uuid).min(1).max(MAX_MOVED) }),
    z.strictObject({ task_id: uuid, before: uuid }),
    z.strictObject({ task_id: uuid, after: uuid }),
  ])
  .meta({
    id: 'ReorderRequest',
    examples: [
      { task_ids: ['0199d0a0-0000-7000-8000-000000000000', '0199d0a0-0000-7000-8000-000000000001'] },
    ],
  })
export type ReorderRequest = z.infer<typeof ReorderRequest>

export const ReorderResult = z
  .object({ moved: z.array(z.object({ task_id: z.uuid(), position: z.int(), version: z.int() })) })
  .meta({ id: 'ReorderResult' })
export type ReorderResult = z.infer<typeof ReorderResult>

/** Puts a list of tasks in order, or moves one before or after another. Answers the tasks whose place has changed. */
export function reorderTasks(
  deps: Writing,
  write: WriteContext,
  request: ReorderRequest,
): Promise<Answer<ReorderResult>> {
  const { userId } = write.actor
  return retryExclusively(deps, userId, async (store) => {
    const earlier = await replayStored<ReorderResult>(store, write)
    if (earlier) return earlier
    const isWhole = 'task_ids' in request
    const { moved, among } = await (isWhole ? order(store, userId, request) : move(store, userId, request))
    const ids = new Set(moved.map(({ id }) => id))
    const positions = moved.map(({ id, position, version }) => ({ task_id: id, position, version }))
    const decision: Decision = {
      movedTasks: moved,
      unchangedTasks: among.filter(({ id }) => !ids.has(id)),
      // Found between tasks that do not change, where another move may have found the same one.
      ...(!isWhole && { freePlaces: moved.map(({ position }) => position) }),
      facts: moved.length > 0 ? [fact(TaskReordered, `user/${userId}`, { positions })] : [],
    }
    return commitWrite(deps, store, write, { decision, body: { moved: positions } })
  })
}

interface Reordered {
  moved: Placed[]
  among: Placed[]
}

async function order(
  store: ChangeStore,
  userId: string,
  { task_ids: ids }: { task_ids: string[] },
): Promise<Reordered> {
  const seen = new Set<string>()
  const twice = ids.findIndex((id) => seen.size === seen.add(id).size)
  if (twice >= 0) throw invalidField(`task_ids.${twice}`, 'is listed twice')
  const tasks = await store.loadPlaces(userId, ids)
  const known = new Set(tasks.map((task) => task.id))
  const missing = ids.findIndex((id) => !known.has(id))
  if (missing >= 0) throw invalidField(`task_ids.${missing}`, 'there is no such task')
  return { moved: decideOrder(tasks, ids), among: tasks }
}

async function move(
  store: ChangeStore,
  userId: string,
  request: { task_id: string } & ({ before: string } | { after: string }),
): Promise<Reordered> {
  const side = 'before' in request ? 'before' : 'after'
  const anchorId = 'before' in request ? request.before : request.after
  if (anchorId === request.task_id) throw invalidField(side, 'must differ from task_id')
  const tasks = await store.loadPlaces(userId, [request.task_id, anchorId])
  const task = tasks.find(({ id }) => id === request.task_id)
  const anchor = tasks.find(({ id }) => id === anchorId)
  if (!task) throw taskNotFound()
  if (!anchor) throw invalidField(side, 'there is no such task')

  const above =
    side === 'after' ? anchor : await store.loadPreceding(userId, { ...anchor, excluding: task.id })
  const following: Placed[] = side === 'before' ? [anchor] : []
  let from: Placed = anchor
  let isEnd = false
  while (!isEnd && !hasRoom(above, following, SPACING) && following.length < MAX_MOVED) {
    const more = await store.loadFollowing(userId, from, FOLLOWERS)
    following.push(...more.filter(({ id }) => id !== task.id))
    isEnd = more.length < FOLLOWERS
    if (!isEnd) from = more.at(-1)!
  }
  const among = [task, anchor]
  if (isEnd || hasRoom(above, following, SPACING)) {
    return { moved: decideMove(task, above, following), among }
  }
  // Close together there is room sooner.
  if (hasRoom(above, following, 1)) return { moved: decideMove(task, above, following, 1), among }
  throw invalidField(side, `more than ${MAX_MOVED} tasks would have to move; choose another position`)
}

/** Whether what is read so far suffices: the neighbours leave a place, or a gap further on takes up the push. */
function hasRoom(above: Placed | null, following: readonly Placed[], spacing: number): boolean {
  const below = following[0]
  if (!below) return false
  if (!above || below.position - above.position > 1) return true
  // One more than the spacing: decideMove leaves out the places of new tasks, of which a thousand numbers hold one.
  return following.at(-1)!.position > above.position + spacing * (following.length + 1) + 1
}
