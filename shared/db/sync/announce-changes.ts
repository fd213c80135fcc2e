import type { StartTimer } from '../../app/ports.ts'
import type { Sql } from '../connect.ts'

/** Processes with live streams listen to it (change-signal.ts). A payload is ids of users. */
export const CHANNEL = 'daybook_changes'

/** PostgreSQL takes less than 8,000 bytes. */
const USERS_PER_PAYLOAD = 200
/** From the end of one call to the next: what is committed meanwhile goes out together. */
const PAUSE_MS = 10

export const usersOf = (payload: string): string[] => payload.split(',')

/**
 * Tells whose changes were committed: a lone one at once, those of a busy process together. Not in the commit itself, for
 * PostgreSQL commits transactions with a NOTIFY one after the other. What is not told, the poll of the listeners finds.
 */
export function createAnnouncer(sql: Sql, startTimer: StartTimer): (userId: string) => void {
  const waiting = new Set<string>()
  let isBusy = false

  async function tell(): Promise<void> {
    isBusy = true
    const users = [...waiting]
    waiting.clear()
    const payloads: string[] = []
    while (users.length > 0) payloads.push(users.splice(0, USERS_PER_PAYLOAD).join(','))
    await sql`select pg_notify(${CHANNEL}, payload) from unnest(${payloads}::text[]) payload`.catch(() => {})
    startTimer(() => {
      isBusy = false
      if (waiting.size > 0) void tell()
    }, PAUSE_MS)
  }

  return (userId) => {
    waiting.add(userId)
    if (!isBusy) void tell()
  }
}
