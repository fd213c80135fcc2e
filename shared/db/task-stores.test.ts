import { testDatabase } from '../testing/database.ts'
import { postgresTaskStores } from '../testing/postgres-task-stores.ts'
import { taskStoreContract } from '../testing/task-store.contract.ts'

const makeStores = async () => postgresTaskStores(await testDatabase())
taskStoreContract('PostgreSQL', makeStores)
