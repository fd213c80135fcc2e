import type { TaskStores } from './memory-task-store.ts'
import { reminderChangeContract } from './reminder-change.contract.ts'
import { taskChangeContract } from './task-change.contract.ts'
import { taskListContract } from './task-list.contract.ts'
import { taskUpkeepContract } from './task-upkeep.contract.ts'

/** What the stores of tasks have to do, wherever they keep them. `makeStores` is called for empty ones, several times. */
export function taskStoreContract(name: string, makeStores: () => Promise<TaskStores>): void {
  taskChangeContract(name, makeStores)
  reminderChangeContract(name, makeStores)
  taskUpkeepContract(name, makeStores)
  taskListContract(name, makeStores)
}
