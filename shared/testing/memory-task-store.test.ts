import { createMemoryTaskStores } from './memory-task-store.ts'
import { taskListContract } from './task-list.contract.ts'

taskListContract('memory', async () => createMemoryTaskStores())
