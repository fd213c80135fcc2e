import type { ChangeLog } from '../../app/sync/ports.ts'
import { LOG_USER } from '../../domain/events.ts'
import type { Extent } from '../../domain/sync/cursor.ts'
import type { Sql } from '../connect.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'
import { MAX_PAGE_BYTES } from '../page-bytes.ts'

export const createChangeLog = (sql: Sql): ChangeLog => ({
  after: async (userId, sequence, limit) => {
    const rows = await sql<((EventRow | { seq: null }) & Extent)[]>`
      select e.*, kept.history, kept.newest, coalesce(kept.oldest, kept.newest + 1) as oldest
      from (select (select history_id()) as history, -- once, not for each row
        coalesce((select last_seq from user_counters where user_id = ${userId} order by turn desc limit 1), 0) as newest,
        (select min(seq) from events where user_id = ${userId}) as oldest) kept
      left join events_after(${userId}, ${sequence}, ${limit}, ${MAX_PAGE_BYTES}) e on true`
    const { history, oldest, newest } = rows[0]!
    const events = rows.filter((row) => row.seq !== null).map(recordedEvent)
    const last = events.at(-1)
    return { events, hasMore: last !== undefined && last.sequence < newest, history, oldest, newest }
  },
  outdated: async (before, after, users) => {
    const owners = await sql<{ user_id: string; is_outdated: boolean | null }[]>`
      select o.user_id, (
        select time from events e where e.user_id = o.user_id order by seq limit 1) < ${before} as is_outdated
      from (
        select distinct user_id from user_counters where ${after === null ? sql`true` : sql`user_id > ${after}`}
        order by user_id limit ${users}) o
      order by o.user_id`
    return {
      users: owners.filter((owner) => owner.is_outdated).map((owner) => owner.user_id),
      last: owners.at(-1)?.user_id ?? null,
    }
  },
  // Always the oldest without a gap, so that whoever reads on from somewhere sees what is gone by the first that is kept; and
  // nothing that is still to be published, or to get its entry in the audit trail.
  forget: async (before, userId, limit) => {
    const isUnaudited =
      userId === LOG_USER
        ? sql`false`
        : sql`seq > coalesce((select c.seq from audit_chains c where c.user_id = ${userId}), 0)`
    const { count } = await sql`
      delete from events where user_id = ${userId} and seq <= (
        select max(seq) from (
          select seq, bool_and(time < ${before} and not is_waiting) over (order by seq) as is_over
          from (select seq, time, exists (
              select from outbox o where o.user_id = e.user_id and o.seq = e.seq)
              or ${isUnaudited} as is_waiting
            from events e where user_id = ${userId} order by seq limit ${limit}) first) e
        where is_over)`
    return count
  },
})
