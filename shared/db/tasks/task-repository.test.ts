import { describe } from 'vitest'
import type { ChangeStore } from '../../app/ports.ts'
import type { TaskReader, TaskRepository } from '../../app/tasks/ports.ts'
import { tagKey, type Task } from '../../domain/tasks/task.ts'
import { aChange } from '../../../testing/builders/a-task.ts'
import { EVERYTHING } from '../../../testing/builders/task-queries.ts'
import { keepsTasks } from '../../../testing/contracts/task-repository.contract.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'

const { deps } = await testDaybook()

/** The stores of the product, asked for no more than tasks by themselves. */
function onRows(changes: ChangeStore, tasks: TaskReader): TaskRepository {
  const commit = async (store: ChangeStore, before: Task | null, after: Task) => {
    const side = after.completedAt ? 'completed' : 'active'
    const by = Number(after.deletedAt === null) - Number(before !== null)
    const { outcome } = await store.commit({
      ...aChange(after.userId, { events: [] }),
      ...(before ? { changedTasks: [after] } : { newTasks: [after] }),
      [`${side}Delta`]: by,
      tagDeltas: after.tags.map((label) => {
        return { key: tagKey(label), label, active: 0, completed: 0, [side]: by }
      }),
    })
    return outcome === 'applied'
  }
  const get: TaskRepository['get'] = async (userId, taskId) => (await tasks.get(userId, taskId))?.task ?? null
  return {
    get,
    create: (task) =>
      changes.exclusively(task.userId, async (store) => {
        const { task: known } = await store.loadTask(task.userId, task.id, null, task.createdAt)
        return known === null && (await commit(store, null, task))
      }),
    list: async (userId, { status, priorities, tags }) => {
      const query = { ...EVERYTHING, sortBy: 'position', status, priorities, tags, limit: 200 } as const
      return (await tasks.list(userId, query)).items
    },
    async save(task) {
      const before = await get(task.userId, task.id)
      return before !== null && (await commit(changes, before, task))
    },
    async delete(userId, taskId, version) {
      const before = await get(userId, taskId)
      if (before?.version !== version) return false
      return commit(changes, before, { ...before, version: version + 1, deletedAt: before.updatedAt })
    },
  }
}

describe('tasks as rows', () => {
  keepsTasks(() => onRows(deps.changes, deps.tasks))
})
