import postgres from 'postgres'
import type { SessionSignal } from '../../app/auth/ports.ts'
import type { Sql } from '../connect.ts'

/** commit_identity notifies it with the user's id. */
const CHANNEL = 'daybook_sessions'

/** Hears over a connection of its own; one that has begun to listen keeps its connection until it is ended. */
export const createSessionSignal = (sql: Sql): SessionSignal => ({
  listen(onEnded, onListening) {
    const client = postgres({ ...(sql.options as object), max: 1 })
    client.listen(CHANNEL, onEnded, onListening).catch(() => {}) // whoever polls is late, and listens again
    return () => void client.end({ timeout: 1 }).catch(() => {})
  },
})
