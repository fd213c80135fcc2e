import { z } from 'zod'
import type { RepositoryFilter, TaskRepository } from '../app/tasks/ports.ts'
import { MONTH_ENDS } from '../domain/recurrence/recurrence-rule.ts'
import { taskIndexKey, taskKey } from '../domain/tasks/task-keys.ts'
import { PRIORITIES, REPEAT_FROM, tagKey, type Task } from '../domain/tasks/task.ts'
import { DomainError } from '../domain/errors.ts'
import type { DaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'
import type { StoredValue } from './state.ts'

/** The index is read and written as a whole: at this many a task costs some 200 KB. */
const MAX_INDEXED = 5000
const BULK = 100
/** Of writers that add to one index at the same time, one gets through each time. */
const MAX_ATTEMPTS = 30

const instant = z.iso.datetime().transform((text) => new Date(text))
const StoredTask: z.ZodType<Task> = z.object({
  id: z.string(),
  userId: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  priority: z.enum(PRIORITIES),
  tags: z.array(z.string()),
  completedAt: instant.nullable(),
  dueDate: z.string().nullable(),
  dueAt: instant.nullable(),
  timeZone: z.string(),
  isFloating: z.boolean(),
  remindAt: instant.nullable(),
  parentId: z.string().nullable(),
  position: z.number(),
  seriesId: z.string().nullable(),
  occurrenceAt: instant.nullable(),
  recurrenceRule: z.string().nullable(),
  repeatFrom: z.enum(REPEAT_FROM),
  seriesTerms: z
    .object({
      isAllDay: z.boolean(),
      monthEnd: z.enum(MONTH_ENDS),
      exdates: z.array(instant),
      rdates: z.array(instant),
    })
    .nullable(),
  version: z.int(),
  createdAt: instant,
  updatedAt: instant,
  deletedAt: instant.nullable(),
})
const TaskIndex = z.array(z.string())

/**
 * Tasks in a Dapr state store: `{user_id}:task:{task_id}` each, and their ids at `{user_id}:task-index`. An id in the index without
 * a task is passed over, a task that is not in it would be lost to lists: so it is named there first, and last when it goes. Each
 * step is a write by ETag. In a transaction Redis would keep a part of what it refuses, and guard no first write.
 */
export function createStateTasks({ state }: Pick<DaprClient, 'state'>, store: string): TaskRepository {
  const read = async (userId: string, taskId: string): Promise<StoredValue<Task> | null> => {
    const found = await state.get(store, taskKey(userId, taskId), StoredTask)
    // The key says whose it is. A value that says otherwise was not written here.
    if (found && found.value.userId !== userId)
      throw new Error('a task is stored under the key of another user')
    return found
  }

  /** Whether it was written: not where another write came first. */
  async function write(work: Promise<void>): Promise<boolean> {
    try {
      await work
      return true
    } catch (error) {
      if (error instanceof DaprError && error.kind === 'conflict') return false
      throw error
    }
  }

  /** Null: it is right as it is. */
  async function changeIndex(
    userId: string,
    change: (ids: readonly string[]) => string[] | null,
  ): Promise<void> {
    const key = taskIndexKey(userId)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const index = await state.get(store, key, TaskIndex)
      const ids = change(index?.value ?? [])
      if (ids === null) return
      if (await write(state.save(store, key, ids, { etag: index?.etag ?? null }))) return
    }
    throw new DomainError('request.conflict', 'Too many writes at the same time; try again.')
  }

  return {
    async create(task) {
      const { id, userId } = task
      const key = taskKey(userId, id)
      await changeIndex(userId, (ids) => {
        if (ids.includes(id)) return null
        if (ids.length < MAX_INDEXED) return [...ids, id]
        throw new DomainError('quota.exceeded', `The limit of tasks (${MAX_INDEXED}) is reached.`)
      })
      return write(state.save(store, key, task, { etag: null }))
    },

    async get(userId, taskId) {
      return (await read(userId, taskId))?.value ?? null
    },

    async list(userId, filter) {
      const ids = (await state.get(store, taskIndexKey(userId), TaskIndex))?.value ?? []
      const keys = ids.map((id) => taskKey(userId, id))
      const pages = Array.from({ length: Math.ceil(keys.length / BULK) }, (_, page) =>
        keys.slice(page * BULK, (page + 1) * BULK),
      )
      const tasks: Task[] = []
      // One after the other: the store would read them all at once, for one user.
      for (const page of pages) {
        const found = await state.bulkGet(store, page, StoredTask)
        tasks.push(...[...found.values()].map(({ value }) => value))
      }
      return tasks
        .filter((task) => task.userId === userId && passes(task, filter))
        .toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1))
    },

    async save(task) {
      const stored = await read(task.userId, task.id)
      if (stored?.value.version !== task.version - 1) return false
      const key = taskKey(task.userId, task.id)
      return write(state.save(store, key, task, { etag: stored.etag }))
    },

    async delete(userId, taskId, version) {
      const key = taskKey(userId, taskId)
      const stored = await read(userId, taskId)
      if (stored && stored.value.version !== version) return false
      const isGone = stored !== null && (await write(state.delete(store, key, { etag: stored.etag })))
      if (stored && !isGone) return false
      // Also of one that is gone already: perhaps an earlier attempt came no further.
      await changeIndex(userId, (ids) => (ids.includes(taskId) ? ids.filter((id) => id !== taskId) : null))
      return isGone
    },
  }
}

const passes = (task: Task, { status, priorities, tags }: RepositoryFilter): boolean => {
  const keys = task.tags.map(tagKey)
  return (
    task.deletedAt === null &&
    (status === 'all' || (status === 'completed') === (task.completedAt !== null)) &&
    (priorities.length === 0 || priorities.includes(task.priority)) &&
    tags.every((tag) => keys.includes(tagKey(tag)))
  )
}
