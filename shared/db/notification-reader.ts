import type { NotificationReader, ShownNotification } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'
import { notificationFromRow, type NotificationRow } from './reminder-rows.ts'

/** What the app shows of the table notifications: the rows with a place (`seq`), each with its own index for its question. */
export const createNotificationReader = (sql: Sql): NotificationReader => ({
  async list(userId, { before, onlyUnread, limit }) {
    const [rows, [count]] = await Promise.all([
      sql<NotificationRow[]>`
        select * from notifications
        where user_id = ${userId} and seq is not null ${before === null ? sql`` : sql`and seq < ${before}`}
          ${onlyUnread ? sql`and read_at is null` : sql``}
        order by seq desc limit ${limit}`,
      sql<{ unread: number }[]>`
        select count(*)::int as unread from notifications
        where user_id = ${userId} and seq is not null and read_at is null`,
    ])
    return { items: rows.map(shown), unread: count!.unread }
  },

  async after(userId, seq, limit) {
    const rows = await sql<NotificationRow[]>`
      select * from notifications where user_id = ${userId} and seq > ${seq} order by seq limit ${limit}`
    return rows.map(shown)
  },

  async lastSeq(userId) {
    const [row] = await sql<{ last_seq: number }[]>`
      select last_seq from user_counters where user_id = ${userId}`
    return row?.last_seq ?? 0
  },

  async markRead(userId, id, now) {
    const [read] = await sql<NotificationRow[]>`
      update notifications set read_at = ${now}
      where id = ${id} and user_id = ${userId} and seq is not null and read_at is null returning *`
    if (read) return notificationFromRow(read)
    // A statement of its own: its snapshot has what another request, for which the update waited, has written.
    const [known] = await sql<NotificationRow[]>`
      select * from notifications where id = ${id} and user_id = ${userId} and seq is not null`
    return known ? notificationFromRow(known) : null
  },

  async markAllRead(userId, now) {
    const { count } = await sql`
      update notifications set read_at = ${now}
      where user_id = ${userId} and seq is not null and read_at is null`
    return count
  },
})

const shown = (row: NotificationRow): ShownNotification => ({
  notification: notificationFromRow(row),
  seq: row.seq!,
})
