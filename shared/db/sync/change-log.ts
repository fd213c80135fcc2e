import type { ChangeLog } from '../../app/sync/ports.ts'
import type { Extent } from '../../domain/sync/cursor.ts'
import type { Sql } from '../connect.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'
import { MAX_PAGE_BYTES } from '../page-bytes.ts'

export const createChangeLog = (sql: Sql): ChangeLog => ({
  after: async (userId, sequence, limit) => {
    const rows = await sql<((EventRow | { seq: null }) & Extent)[]>`
      select e.*, kept.history, kept.newest, coalesce(kept.oldest, kept.newest + 1) as oldest
      from (select (select history_id()) as history,
        coalesce((select last_seq from user_counters where user_id = ${userId} order by turn desc limit 1), 0) as newest,
        (select min(seq) from events where user_id = ${userId}) as oldest) kept
      left join events_after(${userId}, ${sequence}, ${limit}, ${MAX_PAGE_BYTES}) e on true`
    const { history, oldest, newest } = rows[0]!
    const events = rows.filter((row) => row.seq !== null).map(recordedEvent)
    const last = events.at(-1)
    return { events, hasMore: last !== undefined && last.sequence < newest, history, oldest, newest }
  },
  // Always a user's oldest without a gap, so that whoever reads on from somewhere sees what is gone by the first that is kept.
  forget: async (before, { after, users, events }) => {
    const [row] = await sql<{ forgotten: number; is_more: boolean; last: string | null }[]>`
      with owners as (
        select distinct user_id from user_counters where ${after === null ? sql`true` : sql`user_id > ${after}`}
        order by user_id limit ${users}),
      oldest as (
        select o.user_id, max(e.seq) as upto, count(*) as count from owners o cross join lateral (
          select seq, bool_and(time < ${before} and waiting is null) over (order by seq) as is_over
          from (select seq, time, (select o.seq from outbox o where o.user_id = e.user_id and o.seq = e.seq) as waiting
            from events e where e.user_id = o.user_id order by seq limit ${events}) first) e
        where e.is_over group by o.user_id),
      gone as (
        delete from events e using oldest o where e.user_id = o.user_id and e.seq <= o.upto returning 1)
      select (select count(*)::int from gone) as forgotten,
        coalesce((select bool_or(count = ${events}) from oldest), false) as is_more,
        (select user_id from owners order by user_id desc limit 1) as last`
    return { forgotten: row!.forgotten, isMore: row!.is_more, last: row!.last }
  },
})
