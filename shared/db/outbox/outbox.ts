import type { Outbox } from '../../app/outbox/ports.ts'
import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { EventType } from '../../domain/events.ts'
import type { Sql } from '../connect.ts'
import { inTransaction } from '../transaction.ts'

/** First half of the advisory lock that a publisher holds on a user; the second half is the user. */
const PUBLISH_LOCK = 7_246_003
const FIRST_USER = '00000000-0000-0000-0000-000000000000'

export interface EventRow {
  user_id: string
  seq: number
  id: string
  type: EventType
  dataversion: string
  source: string
  subject: string
  time: Date
  data: unknown
  traceparent: string | null
  tracestate: string | null
}

/**
 * The pointers to unpublished events. A publisher holds each user's lock in the transaction in which it publishes: two
 * publishers cannot overtake each other, and a publisher that dies lets go at once.
 */
export function createOutbox(sql: Sql): Outbox {
  // Each round goes on behind the last user of the one before, so that nobody is kept waiting by those whose ids come first.
  let last = FIRST_USER
  return {
    drain: (limit, publish) =>
      inTransaction(sql, async (tx) => {
        const without = [...limit.without]
        const waiting = await tx<{ user_id: string; is_mine: boolean }[]>`
          select user_id, pg_try_advisory_xact_lock(${PUBLISH_LOCK}, hashtext(user_id::text)) as is_mine
          from ((select distinct user_id from outbox where user_id > ${last} and user_id <> all(${without}::uuid[])
              order by user_id limit ${limit.users})
            union all (select distinct user_id from outbox where user_id <= ${last} and user_id <> all(${without}::uuid[])
              order by user_id limit ${limit.users})
            limit ${limit.users}) users`
        last = waiting.length === limit.users ? waiting.at(-1)!.user_id : FIRST_USER
        const mine = waiting.filter((row) => row.is_mine).map((row) => row.user_id)
        if (mine.length === 0) return { claimed: 0, sent: 0, left: waiting.length > 0 }
        const share = Math.max(1, Math.min(limit.eventsPerUser, Math.floor(limit.events / mine.length)))
        // A statement of its own: its snapshot is younger than the locks, so it sees what the last holder has done.
        const rows = await tx<(EventRow & { place: number; pointer: string })[]>`
          select e.*, o.place, o.pointer from unnest(${mine}::uuid[]) u (id)
          cross join lateral (select user_id, seq, ctid::text as pointer, row_number() over (order by seq) as place from outbox
            where user_id = u.id order by seq limit ${share}) o
          join events e using (user_id, seq) order by user_id, seq`
        const sent = await publish(rows.map(recordedEvent))
        if (sent.length > 0) {
          const pointers = new Map(rows.map((row) => [row.id, row.pointer]))
          // With its key: an account may have been removed meanwhile, and its place given to a pointer of somebody else.
          await tx`
            delete from outbox o using unnest(${sent.map(({ id }) => pointers.get(id)!)}::tid[],
              ${sent.map(({ userId }) => userId)}::uuid[], ${sent.map(({ sequence }) => sequence)}::bigint[]) s (pointer, user_id, seq)
            where o.ctid = s.pointer and o.user_id = s.user_id and o.seq = s.seq`
        }
        const isMore = rows.some((row) => row.place === share)
        const left = isMore || waiting.length === limit.users || mine.length < waiting.length
        return { claimed: rows.length, sent: sent.length, left }
      }),
    backlog: async () => {
      const [row] = await sql<{ waiting: number; oldest: Date | null }[]>`
        select count(*)::int as waiting, min(time) as oldest
        from (select time from outbox limit 10000) pending`
      return row!
    },
  }
}

export const recordedEvent = (row: EventRow): RecordedEvent => ({
  userId: row.user_id,
  sequence: row.seq,
  id: row.id,
  type: row.type,
  dataversion: row.dataversion,
  source: row.source,
  subject: row.subject,
  time: row.time,
  data: row.data,
  trace: row.traceparent === null ? null : { traceparent: row.traceparent, tracestate: row.tracestate },
})
