import type { DeliveryQueue } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'

export const createDeliveryQueue = (_sql: Sql): DeliveryQueue => ({}) as never
