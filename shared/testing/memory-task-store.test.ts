import { createMemoryTaskStores } from './memory-task-store.ts'
import { taskStoreContract } from './task-store.contract.ts'

const makeStores = async () => createMemoryTaskStores()
taskStoreContract('memory', makeStores)
