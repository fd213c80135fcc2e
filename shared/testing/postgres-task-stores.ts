import { createChangeStore } from '../db/change-store.ts'
import type { Sql } from '../db/connect.ts'
import { createHousekeeping, createSeriesSweep } from '../db/maintenance.ts'
import { createChangeFeed, createOutbox } from '../db/outbox.ts'
import { createReminderReader } from '../db/reminder-reader.ts'
import { createTaskReader } from '../db/task-reader.ts'
import type { TaskStores } from './memory-task-store.ts'

export const postgresTaskStores = (sql: Sql): TaskStores => ({
  changes: createChangeStore(sql),
  tasks: createTaskReader(sql),
  reminders: createReminderReader(sql),
  sweep: createSeriesSweep(sql),
  outbox: createOutbox(sql),
  feed: createChangeFeed(sql),
  housekeeping: createHousekeeping(sql),
})
