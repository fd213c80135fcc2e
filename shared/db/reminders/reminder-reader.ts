import type { ReminderReader } from '../../app/reminders/ports.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from '../audience.ts'
import type { Sql } from '../connect.ts'
import { deliveryFromRow, reminderFromRow, type DeliveryRow, type ReminderRow } from './reminder-rows.ts'
import { fromJson } from '../tasks/task-rows.ts'

/** The last ones of a reminder that is snoozed again and again. */
const MAX_DELIVERIES = 1000

interface Row {
  reminder: ReminderRow
  deliveries: DeliveryRow[] | null
}

export const createReminderReader = (sql: Sql): ReminderReader => ({
  async get(userId, reminderId, now) {
    const [row] = await sql<(Row & { is_claimed: boolean | null; audience: AudienceJson })[]>`
      select to_jsonb(r) as reminder, lease_until > ${now} as is_claimed,
        ${audienceOf(sql, sql`r.user_id`)} as audience,
        (select jsonb_agg(to_jsonb(d) order by fire_at, channel, id) from (
          select * from deliveries where reminder_id = r.id order by fire_at desc limit ${MAX_DELIVERIES}) d) as deliveries
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
  async listAll(userId, { status, from, to, after, limit }) {
    const at = sql`coalesce(r.fire_at, r.remind_at, 'infinity')`
    const rows = await sql<(Row & { task_title: string })[]>`
      select to_jsonb(r) as reminder, t.title as task_title,
        (select jsonb_agg(to_jsonb(d) order by channel, id) from deliveries d
          where d.reminder_id = r.id and d.fire_at = r.fired_at) as deliveries
      from reminders r join tasks t on t.id = r.task_id
      where r.user_id = ${userId} and r.deleted_at is null
        ${from ? sql`and ${at} >= ${from} and ${at} < 'infinity'` : sql``} ${to ? sql`and ${at} < ${to}` : sql``}
        ${after ? sql`and (${at}, r.id) > (coalesce(${after.at}::timestamptz, 'infinity'), ${after.id}::uuid)` : sql``}
        ${status ? sql`and ${statusOf(sql)} = ${status}` : sql``}
      order by ${at}, r.id limit ${limit}`
    return rows.map((row) => ({ ...fromRow(row), taskTitle: row.task_title }))
  },
})

/** The status of the reminder `r`, as shared/domain/reminders/reminder.ts says it (functions/reminders/list-all-reminders.test.ts). */
const statusOf = (sql: Sql) => sql`case
  when r.cancelled_at is not null then 'cancelled'
  when r.acknowledged_at is not null then 'acknowledged'
  when r.fire_at = r.snoozed_until then 'snoozed'
  when r.fired_at is null then case when r.fire_at is not null or r.offset_minutes is not null then 'scheduled' else 'cancelled' end
  else (select case
      when count(*) = 0 or bool_or(d.state in ('triggered', 'held')) then 'triggered'
      when bool_or(d.state = 'delivered') then 'delivered'
      when bool_or(d.state = 'failed') then 'failed'
      else 'cancelled' end
    from deliveries d where d.reminder_id = r.id and d.fire_at = r.fired_at) end`

const fromRow = ({ reminder, deliveries }: Row) => ({
  reminder: reminderFromRow(fromJson(reminder)),
  deliveries: (deliveries ?? []).map((delivery) => deliveryFromRow(fromJson(delivery))),
})
