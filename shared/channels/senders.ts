import type { Senders } from '../app/reminder-ports.ts'
import type { DaprClient } from '../dapr/client.ts'

export const createSenders = (_dapr: Pick<DaprClient, 'invokeBinding' | 'secrets'>): Senders => ({}) as never
