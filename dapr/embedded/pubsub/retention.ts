import type { Sql } from '../../../shared/db/connect.ts'

const DAYS_BY_TOPIC: Record<string, number> = {
  'task-events': 7,
  'task-updates': 1,
  reminders: 1,
  'notification-events': 1,
  'audit-events': 30,
  'dlq-events': 14,
}
const DEFAULT_DAYS = 7
const CHUNK = 5000

/**
 * Removes messages older than their topic keeps them, except what a consumer group has not finished yet, however old.
 * Retention is the broker's in production, so it is not in the component files.
 */
export async function removeOldMessages(sql: Sql, now: Date): Promise<void> {
  const topics = await sql<{ id: number; name: string }[]>`select id, name from dapr.topics`
  for (const { id, name } of topics) {
    const before = new Date(now.getTime() - (DAYS_BY_TOPIC[name] ?? DEFAULT_DAYS) * 86_400_000)
    let removed = CHUNK
    while (removed === CHUNK) {
      const { count } = await sql`
        delete from dapr.messages m using (
          select message_offset from dapr.messages
          where topic_id = ${id} and published_at < ${before}
            and message_offset < (
              select coalesce(min(next_offset), 9223372036854775807) from dapr.consumers where topic_id = ${id}
            )
            and not exists (
              select from dapr.parked p where p.topic_id = ${id} and p.message_offset = messages.message_offset
            )
          order by message_offset limit ${CHUNK}
        ) old
        where m.topic_id = ${id} and m.message_offset = old.message_offset`
      removed = count
    }
  }
}
