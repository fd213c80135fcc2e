import type { NotificationReader, ReadTogether, ShownNotification } from '../../app/notifications/ports.ts'
import type { Sql } from '../connect.ts'
import { fragment, run, verbatim, type Fragment } from '../fragment.ts'
import { pageOf, textBytes, untilFull } from '../page-bytes.ts'
import { notificationFromRow, type NotificationRow } from '../reminders/reminder-rows.ts'

/** What the app shows of the table notifications: the rows with a place (`seq`), each with its own index for its question. */
export const createNotificationReader = (sql: Sql): NotificationReader => ({
  async list(userId, { before, onlyUnread, limit }) {
    const rows = fragment`select * from notifications
      where user_id = ${userId} and seq is not null ${before === null ? fragment`` : fragment`and seq < ${before}`}
        ${onlyUnread ? fragment`and read_at is null` : fragment``}
      order by seq desc limit ${limit + 1}`
    const [{ items, hasMore }, [count]] = await Promise.all([
      shownPage(sql, rows, limit),
      sql<{ unread: number }[]>`
        select count(*)::int as unread from notifications
        where user_id = ${userId} and seq is not null and read_at is null`,
    ])
    return { items, unread: count!.unread, hasMore }
  },

  async after(userId, seq, limit) {
    const next = fragment`select * from notifications where user_id = ${userId} and seq > ${seq} order by seq limit ${limit}`
    return (await shownPage(sql, next, limit)).items
  },

  async lastSeq(userId) {
    const [row] = await sql<{ last_seq: number }[]>`
      select last_seq from user_counters where user_id = ${userId} order by turn desc limit 1`
    return row?.last_seq ?? 0
  },

  async get(userId, id) {
    const [row] = await sql<NotificationRow[]>`
      select * from notifications where id = ${id} and user_id = ${userId} and seq is not null`
    return row ? notificationFromRow(row) : null
  },

  async unread(userId, limit) {
    const [row] = await sql<{ ids: string[]; unread: number }[]>`
      select array(select id from notifications where user_id = ${userId} and seq is not null and read_at is null
          order by seq desc limit ${limit}) as ids,
        (select count(*)::int from notifications
          where user_id = ${userId} and seq is not null and read_at is null) as unread`
    return row!
  },

  async readAfter(userId, seq, limit) {
    // One statement, so one snapshot: whoever has a place up to the last one is committed.
    const [row] = await sql<{ reads: ReadTogether[] | null; up_to: number | null }[]>`
      select (select last_seq from user_counters where user_id = ${userId} order by turn desc limit 1) as up_to,
        (select jsonb_agg(jsonb_build_object('seq', seq, 'ids', case when count <= ${MAX_NAMED} then ids end, 'unread', (
            select count(*) from notifications where user_id = ${userId} and seq is not null and read_at is null)) order by seq)
          from (
            select read_seq as seq, count(*), array_agg(id order by id) as ids from notifications
            where user_id = ${userId} and read_seq > ${seq} group by read_seq order by read_seq limit ${limit}) r) as reads`
    return { reads: row!.reads ?? [], upTo: row!.up_to ?? 0 }
  },
})

/** More that are read together are not named one by one: the client loads its list again. */
const MAX_NAMED = 100

/** What a notification takes in JSON beside its texts. */
const FIELD_BYTES = 400
const bytesOf = ({ title, body }: NotificationRow): number => FIELD_BYTES + textBytes(title, body)

const leastBytes = fragment`(${verbatim(String(FIELD_BYTES))} + octet_length(title) + octet_length(body))`

const shownPage = (
  sql: Sql,
  rows: Fragment,
  limit: number,
): Promise<{ items: ShownNotification[]; hasMore: boolean }> =>
  run(sql, untilFull(rows, leastBytes), (found: readonly NotificationRow[]) => {
    const { page, hasMore } = pageOf(found, limit, bytesOf)
    return { items: page.map((row) => ({ notification: notificationFromRow(row), seq: row.seq! })), hasMore }
  })
