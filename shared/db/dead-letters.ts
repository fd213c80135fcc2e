import type { DeadLetters } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

export const createDeadLetters = (_sql: Sql): DeadLetters => ({}) as never
