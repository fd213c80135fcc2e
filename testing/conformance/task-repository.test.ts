import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemIds } from '../../shared/kit/system.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { createStateTasks } from '../../shared/dapr/state-tasks.ts'
import { taskIndexKey, taskKey } from '../../shared/domain/tasks/task-keys.ts'
import { aTask } from '../builders/a-task.ts'
import { keepsTasks } from '../contracts/task-repository.contract.ts'
import { startSidecar, type Driver } from './harness/sidecar.ts'

const BASE_URL = 'http://sidecar'
const STORE = 'statestore'
const ALL = { status: 'all', priorities: [], tags: [] } as const

let driver: Driver
/** Called before each request that the client sends. */
let before: (request: { method: string; path: string }) => Promise<void> = async () => {}
const Ids = z.array(z.string())

const dapr = createDaprClient({
  baseUrl: BASE_URL,
  timeoutMs: 10_000,
  fetch: async (url, init) => {
    const path = url.slice(BASE_URL.length)
    await before({ method: init.method ?? 'GET', path })
    return driver.call(path, init)
  },
})
const repository = createStateTasks(dapr, STORE)

beforeAll(async () => {
  driver = await startSidecar({ hasPubsub: false, hasState: true })
})

describe('tasks by key', () => {
  keepsTasks(() => repository)

  it('are found at the keys that their documents name', async () => {
    const task = aTask({ title: 'Buy milk' })
    await repository.create(task)
    const get = async (key: string) => {
      const answer = await driver.call(`/v1.0/state/${STORE}/${encodeURIComponent(key)}`)
      return answer.json()
    }
    expect(await get(taskKey(task.userId, task.id))).toMatchObject({ title: 'Buy milk', userId: task.userId })
    expect(await get(taskIndexKey(task.userId))).toEqual([task.id])
  })

  it.each(['user:task:x', '*', 'a||b', ''])('are not looked for under the user %j', async (userId) => {
    await expect(repository.get(userId, systemIds.uuid())).rejects.toThrow(RangeError)
    await expect(repository.list(userId, ALL)).rejects.toThrow(RangeError)
  })

  it('are in the list when another writer changed the index in between', async () => {
    const first = aTask({ position: 1 })
    const second = aTask({ userId: first.userId, position: 2 })
    let isRaced = false
    before = async ({ path, method }) => {
      if (isRaced || method !== 'POST' || path !== `/v1.0/state/${STORE}`) return
      isRaced = true
      await repository.create(second)
    }
    expect(await repository.create(first)).toBe(true)
    expect(isRaced).toBe(true)
    expect(await repository.list(first.userId, ALL)).toEqual([first, second])
  })

  it.each([1, 2])(
    'are created once when the process is killed after write %d and it is tried again',
    async (after) => {
      const task = aTask()
      let writes = 0
      before = async ({ method, path }) => {
        if (method !== 'POST' || path !== `/v1.0/state/${STORE}`) return
        writes += 1
        if (writes > after) throw new TypeError('killed')
      }
      const first = await repository.create(task).catch(() => 'killed')
      expect(first).toBe(after === 1 ? 'killed' : true)
      before = async () => {}
      expect(await repository.list(task.userId, ALL)).toEqual(after === 1 ? [] : [task])
      expect(await repository.create(task)).toBe(after === 1)
      expect(await repository.list(task.userId, ALL)).toEqual([task])
    },
  )

  it('are gone from lists after a crash in the middle of a deletion, and from the index once it is tried again', async () => {
    const task = aTask()
    await repository.create(task)
    before = async ({ method }) => {
      if (method === 'POST') throw new TypeError('killed')
    }
    await expect(repository.delete(task.userId, task.id, 1)).rejects.toThrow('unreachable')
    before = async () => {}
    expect(await repository.list(task.userId, ALL)).toEqual([])
    expect(await repository.delete(task.userId, task.id, 1)).toBe(false)
    expect(await dapr.state.get(STORE, taskIndexKey(task.userId), Ids)).toMatchObject({ value: [] })
  })

  it('are read in pages when there are many', async () => {
    const userId = systemIds.uuid()
    const tasks = Array.from({ length: 205 }, (_, position) => aTask({ userId, position }))
    const put = (key: string, value: unknown) => dapr.state.save(STORE, key, value, { etag: null })
    await put(
      taskIndexKey(userId),
      tasks.map(({ id }) => id),
    )
    for (const task of tasks) await put(taskKey(userId, task.id), task)
    expect(await repository.list(userId, ALL)).toEqual(tasks)
  })
})
