import type { NotificationFeed } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

export const createNotificationFeed = (_sql: Sql): NotificationFeed => ({}) as never
