import type { ReminderReader } from '../app/reminder-ports.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from './audience.ts'
import type { Sql } from './connect.ts'
import { deliveryFromRow, reminderFromRow, type DeliveryRow, type ReminderRow } from './reminder-rows.ts'
import { fromJson } from './task-rows.ts'

interface Row {
  reminder: ReminderRow
  deliveries: DeliveryRow[] | null
}

export const createReminderReader = (sql: Sql): ReminderReader => ({
  async get(userId, reminderId, now) {
    const [row] = await sql<(Row & { is_claimed: boolean | null; audience: AudienceJson })[]>`
      select to_jsonb(r) as reminder, lease_until > ${now} as is_claimed,
        ${audienceOf(sql, sql`r.user_id`)} as audience,
        (select jsonb_agg(to_jsonb(d) order by fire_at, channel, id) from deliveries d
          where d.reminder_id = r.id) as deliveries
      from reminders r where id = ${reminderId} and user_id = ${userId} and deleted_at is null`
    if (!row) return null
    const audience = audienceFromJson(row.audience)
    return { ...fromRow(row), audience, isClaimed: row.is_claimed ?? false }
  },
  async list(userId, taskId) {
    const rows = await sql<Row[]>`
      select to_jsonb(r) as reminder,
        (select jsonb_agg(to_jsonb(d) order by channel, id) from deliveries d
          where d.reminder_id = r.id and d.fire_at = r.fired_at) as deliveries
      from reminders r where task_id = ${taskId} and user_id = ${userId} and deleted_at is null
      order by coalesce(fire_at, remind_at) nulls last, id`
    return rows.map(fromRow)
  },
})

const fromRow = ({ reminder, deliveries }: Row) => ({
  reminder: reminderFromRow(fromJson(reminder)),
  deliveries: (deliveries ?? []).map((delivery) => deliveryFromRow(fromJson(delivery))),
})
