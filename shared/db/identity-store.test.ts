import { expect, it } from 'vitest'
import { identityStoreContract } from '../testing/identity-store.contract.ts'
import { createMemoryIdentityStore } from '../testing/memory-identity-store.ts'
import { systemIds } from '../kit/system.ts'
import { testDatabase } from '../testing/database.ts'
import { createIdentityStore } from './identity-store.ts'

identityStoreContract('memory', async () => {
  const store = createMemoryIdentityStore()
  return {
    store,
    eventTypes: async (userId) =>
      store.events.filter((entry) => entry.userId === userId).map(({ event }) => event.type),
  }
})

identityStoreContract('PostgreSQL', async () => {
  const sql = await testDatabase()
  return {
    store: createIdentityStore(sql),
    eventTypes: async (userId) => {
      const rows = await sql<
        { type: string }[]
      >`select type from events where user_id = ${userId} order by seq`
      return rows.map((row) => row.type)
    },
  }
})

// Counting used to clean up old rows of others as well, so two failed sign-ins could each hold what the other needed.
it('a failed sign-in in the middle of its transaction holds up no other one, whatever is out of date', async () => {
  const sql = await testDatabase()
  const store = createIdentityStore(sql)
  const [userId, at] = [systemIds.uuid(), new Date('2026-11-22T10:00:00.000Z')]
  await sql`insert into user_counters (user_id) values (${userId})`
  await sql`insert into login_counts select key, 1, '2026-11-22T09:00:00Z' from unnest(array['a', 'b']) key`
  const failure = (key: string, owner: string | null) =>
    store.commit({
      ...{ userId: owner, at, events: [] },
      counts: [{ key, resetsAt: new Date('2026-11-22T11:00:00.000Z') }],
    })
  let first: Promise<unknown> = Promise.resolve()
  await sql.begin(async (tx) => {
    await tx`select 1 from user_counters where user_id = ${userId} for update`
    first = failure('a', userId)
    await expect
      .poll(
        () => sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
      )
      .toHaveLength(1)
    expect(await failure('b', null)).toBe('applied')
  })
  expect(await first).toBe('applied')
})
