import type { ReminderReader } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

export const createReminderReader = (_sql: Sql): ReminderReader => ({}) as never
