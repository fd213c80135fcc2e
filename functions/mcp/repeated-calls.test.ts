import { expect, it } from 'vitest'
import { mcpApp } from '../../testing/worlds/mcp-app.ts'

const world = await mcpApp()
const SECOND_MS = 1000

/** The ids of what equal calls without a key have added, at these seconds after a full minute. */
async function addedAt(...seconds: number[]): Promise<number> {
  const { token } = await world.newToken()
  const start = Math.ceil(world.clock.now().getTime() / 60_000) * 60_000
  const ids = new Set<unknown>()
  for (const second of seconds) {
    world.clock.set(new Date(start + second * SECOND_MS).toISOString())
    ids.add((await world.call(token, 'add_task', { title: 'Milk' })).value['id'])
  }
  return ids.size
}

it.each([
  ['within a minute', [10, 20, 69], 1],
  ['across a full minute', [59.9, 60.1], 1],
  ['after more than a minute', [0, 61], 2],
  ['counted from the first', [59, 90, 118, 130], 2],
  ['again within a minute of the second', [0, 61, 120], 2],
  ['a day later', [0, 24 * 60 * 60 + 1], 2],
] as const)('equal calls without a key %s at seconds %j add %i', async (_, seconds, added) => {
  expect(await addedAt(...seconds)).toBe(added)
})

it('equal calls without a key at once add one', async () => {
  const { token } = await world.newToken()
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => world.call(token, 'add_task', { title: 'Milk' })),
  )
  const made = answers.filter(({ isError }) => !isError).map(({ value }) => value['id'])
  expect(new Set(made).size).toBe(1)
  expect((await world.call(token, 'list_tasks')).value['items']).toHaveLength(1)
})

it('what was deleted since is added again', async () => {
  const { token } = await world.newToken()
  const add = async () => (await world.call(token, 'add_task', { title: 'Milk' })).value
  const first = await add()
  await world.call(token, 'delete_task', { task_id: first['id'], confirm: true })
  const second = await add()
  expect([second['id'] === first['id'], second['repeated']]).toEqual([false, undefined])
  expect((await add())['id']).toBe(second['id'])
})
