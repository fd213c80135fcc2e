import type { ReminderReader } from '../app/reminder-ports.ts'
import type { Sql } from './connect.ts'
import { deliveryFromRow, reminderFromRow, type DeliveryRow, type ReminderRow } from './reminder-rows.ts'
import { fromJson } from './task-rows.ts'

interface Row {
  reminder: ReminderRow
  deliveries: DeliveryRow[] | null
}

export const createReminderReader = (sql: Sql): ReminderReader => ({
  async get(userId, reminderId, now) {
    const [row] = await sql<(Row & { is_claimed: boolean | null })[]>`
      select to_jsonb(r) as reminder, lease_until > ${now} as is_claimed,
        (select jsonb_agg(to_jsonb(d) order by fire_at, channel, id) from deliveries d
          where d.reminder_id = r.id) as deliveries
      from reminders r where id = ${reminderId} and user_id = ${userId} and deleted_at is null`
    return row ? { ...fromRow(row), isClaimed: row.is_claimed ?? false } : null
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
