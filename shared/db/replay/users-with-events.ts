import { LOG_USER } from '../../domain/events.ts'
import type { Sql } from '../connect.ts'

interface Range {
  from: Date | null
  to: Date | null
  user: string | null
}

const PAGE = 1000

/** Users behind one, by id, who have done something in a range of time, and how many events they have; deleted accounts have none. */
export async function usersWithEvents(
  sql: Sql,
  { from, to, user }: Range,
  after: string | null,
): Promise<{ events: number; users: AsyncGenerator<string> }> {
  const wanted = (behind: string | null) => sql`
    user_id <> ${LOG_USER} and (${behind}::uuid is null or user_id > ${behind}::uuid) and (${user}::uuid is null or user_id = ${user}::uuid)
    and user_id not in (select user_id from deleted_accounts)
    ${
      from || to
        ? sql`and exists (select from events e where e.user_id = c.user_id
            and (${from}::timestamptz is null or time >= ${from}) and (${to}::timestamptz is null or time < ${to}))`
        : sql``
    }`
  const [row] = await sql<{ events: number }[]>`
    select coalesce(sum(last_seq), 0)::bigint as events from user_counters c where ${wanted(after)}`
  async function* users(): AsyncGenerator<string> {
    for (let behind = after; ;) {
      const page = await sql<{ user_id: string }[]>`
        select user_id from user_counters c where ${wanted(behind)} order by user_id limit ${PAGE}`
      yield* page.map((one) => one.user_id)
      if (page.length < PAGE) return
      behind = page.at(-1)!.user_id
    }
  }
  return { events: row!.events, users: users() }
}
