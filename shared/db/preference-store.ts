import type { PreferenceStore } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

export const createPreferenceStore = (_sql: Sql): PreferenceStore => ({}) as never
