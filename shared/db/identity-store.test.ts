import { identityStoreContract } from '../testing/identity-store.contract.ts'
import { createMemoryIdentityStore } from '../testing/memory-identity-store.ts'
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
