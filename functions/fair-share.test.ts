import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { connect, type Sql } from '../shared/db/connect.ts'
import { mountFunctions } from '../shared/kit/mount-functions.ts'
import { MAX_WAITING } from '../shared/kit/edge/turns.ts'
import { silentLogger } from '../shared/observability/logger.ts'
import { createApiClient, type ApiClient, type Person } from '../testing/worlds/api-client.ts'
import { composeDaybook, obligingSidecar } from '../testing/worlds/compose-daybook.ts'
import { testDatabaseTarget } from '../testing/worlds/database.ts'
import { SYSTEM_RESOURCES } from './compose.ts'
import { loadFunctions } from './main.ts'

const POOL = 16
const SHARE = 4

let world: ApiClient
/** Somebody who holds locks in the database. */
let holder: Sql
let rude: Person
let innocent: Person

beforeAll(async () => {
  const target = await testDatabaseTarget()
  const sql = connect(target, { max: POOL, applicationName: 'subject' })
  holder = connect(target, { max: 2, applicationName: 'holder' })
  const resources = { ...SYSTEM_RESOURCES, log: silentLogger, sidecarFetch: obligingSidecar }
  const { deps } = composeDaybook(sql, { env: { DATABASE_POOL: String(POOL) }, resources })
  afterAll(async () => {
    await deps.publishing.stop()
    for (const pool of [sql, holder]) await pool.end({ timeout: 1 })
  })
  const app = mountFunctions(await loadFunctions(), deps)
  world = createApiClient(async (path, init) => app.request(path, init))
  rude = await world.register()
  innocent = await world.register()
})

/** Connections of the process that wait for a lock, by what they do. */
async function held(pattern: string): Promise<number> {
  const rows = await holder`
    select 1 from pg_stat_activity where datname = current_database() and application_name = 'subject'
      and wait_event_type = 'Lock' and query ilike ${pattern}`
  return rows.length
}

/** Runs `work` while a lock is held that `take` takes. */
const whileLocked = (take: (tx: Sql) => Promise<unknown>, work: () => Promise<void>) =>
  holder.begin(async (tx) => {
    await take(tx as unknown as Sql)
    await work()
  })

const statusesOf = (answers: readonly { status: number }[]) =>
  Object.fromEntries(
    Map.groupBy(answers, ({ status }) => status)
      .entries()
      .map(([status, { length }]) => [status, length]),
  )

it('a user who reads a lot at once takes a share of the pool, waits for themselves, and is refused beyond that', async () => {
  await world.have(innocent, 'POST', '/api/tasks', { title: 'Pay rent' })
  const count = MAX_WAITING + 30
  let reads: Promise<{ status: number }>[] = []
  await whileLocked(
    (tx) => tx`lock table events in access exclusive mode`,
    async () => {
      const ask = () => world.ask('GET', '/api/changes?limit=1000', { token: rude.token })
      reads = Array.from({ length: count }, ask)
      await vi.waitFor(async () => expect(await held('%from events%')).toBe(SHARE / 2))
      const list = await world.have(innocent, 'GET', '/api/tasks')
      expect(list['total']).toBe(1)
      expect(await held('%from events%')).toBe(SHARE / 2)
    },
  )
  const answers = await Promise.all(reads)
  expect(statusesOf(answers)).toEqual({ 200: MAX_WAITING + SHARE / 2, 429: count - MAX_WAITING - SHARE / 2 })
})

it('a user whose writes wait for each other holds no more of the pool than that, and every write is done', async () => {
  const { id } = await world.have(rude, 'POST', '/api/tasks', { title: 'Busy' })
  let writes: Promise<{ status: number }>[] = []
  await whileLocked(
    (tx) => tx`select 1 from user_counters where user_id = ${rude.id} for update`,
    async () => {
      const edit = (_: unknown, nth: number) =>
        world.ask('PATCH', `/api/tasks/${String(id)}`, { token: rude.token, json: { title: `Title ${nth}` } })
      writes = Array.from({ length: 100 }, edit)
      await vi.waitFor(async () => expect(await held('%')).toBeGreaterThan(0))
      await world.have(innocent, 'POST', '/api/tasks', { title: 'Another' })
      await world.have(innocent, 'GET', '/api/tasks')
      expect(await held('%')).toBeLessThanOrEqual(2)
    },
  )
  expect(statusesOf(await Promise.all(writes))).toEqual({ 200: 100 })
  const task = await world.have(rude, 'GET', `/api/tasks/${String(id)}`)
  expect(task['version']).toBe(101)
})
