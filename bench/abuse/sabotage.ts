import type { Sql } from '../../shared/db/connect.ts'

const EVERY_MS = 20

/**
 * Makes statements fail after rows have come, as a statement_timeout does when a server is slow. What waits for its client
 * to take more rows is big; the innocent ask for nothing that does not fit into the buffer of a socket.
 */
export function createSabotage(sql: Sql) {
  let timer: NodeJS.Timeout | undefined
  let cancelled = 0
  const cancel = async () => {
    const rows = await sql<{ done: boolean }[]>`
      select pg_cancel_backend(pid) as done from pg_stat_activity
      where application_name = 'daybook' and state = 'active' and wait_event = 'ClientWrite'`
    cancelled += rows.length
  }
  return {
    sabotage: () => {
      cancelled = 0
      timer = setInterval(() => void cancel().catch(() => {}), EVERY_MS)
    },
    /** Resolves to how many statements were made to fail. */
    endSabotage: () => {
      clearInterval(timer)
      return cancelled
    },
  }
}
