import { expect, it } from 'vitest'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import listTasks from '../tasks/list-tasks.ts'

const BURST = 3
const world = await identityWorld({ RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: String(BURST) })

/** A process, asked from one address, that counts how often it looks for an API token. */
function given() {
  const { store } = world.identity
  const { useApiToken } = store
  let lookups = 0
  store.useApiToken = (...args) => {
    lookups += 1
    return useApiToken(...args)
  }
  const app = mountFunctions([listTasks], world.deps)
  const use = async (token: string, remoteAddress = '203.0.113.9') =>
    (
      await app.request(
        '/api/tasks',
        { headers: { authorization: `Bearer ${token}` } },
        { incoming: { socket: { remoteAddress } } },
      )
    ).status
  return { use, lookups: () => lookups }
}

it('is looked for only while its address may fail, whoever else is known there', async () => {
  const owner = await tokenOwner(world)
  const [known, other] = [await owner.token('tasks:read'), await owner.token('tasks:read')]
  const { use, lookups } = given()
  expect(await use(known.token)).toBe(200)
  const guesses = Array.from({ length: 20 }, () => `dba_${systemIds.hex(32)}`)
  const statuses: number[] = []
  for (const guess of guesses) statuses.push(await use(guess))
  expect(statuses).toEqual(guesses.map((_, nth) => (nth < BURST ? 401 : 429)))
  expect(lookups()).toBe(1 + BURST)
  expect(await use(known.token)).toBe(200)
  expect(await use(other.token, '198.51.100.1')).toBe(200)
})

it('is looked for nowhere without the form of one', async () => {
  const { use, lookups } = given()
  for (const guess of ['dba_', 'dba_unknown', `dba_${'0'.repeat(63)}`, `dba_${'A'.repeat(64)}`]) {
    await use(guess, '198.51.100.7')
  }
  expect(lookups()).toBe(0)
})
