import { testDatabase } from '../testing/database.ts'
import { taskListContract } from '../testing/task-list.contract.ts'
import { postgresTaskStores } from '../testing/postgres-task-stores.ts'

taskListContract('PostgreSQL', async () => postgresTaskStores(await testDatabase()))
