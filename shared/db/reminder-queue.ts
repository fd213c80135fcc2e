import type { Claim, DueReminder, ReminderQueue } from '../app/reminder-ports.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from './audience.ts'
import type { Sql } from './connect.ts'
import { reminderFromRow, type ReminderRow } from './reminder-rows.ts'
import { fromJson, taskFromRow, type TaskRow } from './task-rows.ts'

/** A lease that ends so much later than a new one would is of a clock that has been put back since. */
const CLOCK_TOLERANCE_MS = 60_000

interface DueRow {
  reminder: ReminderRow
  task: TaskRow | null
  audience: AudienceJson
  has_fired: boolean
}

/** Takes what is due out of the table of reminders, each for one worker, with all that is needed to decide about it. */
export function createReminderQueue(sql: Sql): ReminderQueue {
  const claim = async (
    { now, leaseUntil, limit, renews }: Claim,
    only: ReturnType<Sql>,
  ): Promise<DueReminder[]> => {
    const impossible = new Date(leaseUntil.getTime() + CLOCK_TOLERANCE_MS)
    const rows = await sql<DueRow[]>`
      with due as (
        select id from reminders
        where fire_at <= ${now} ${only} and (lease_until is null or lease_until <= ${now}
          or lease_until > ${impossible} or lease_until = ${renews ?? null})
        order by fire_at, id limit ${limit} for update skip locked),
      claimed as (
        update reminders r set lease_until = ${leaseUntil} from due where r.id = due.id returning r.*)
      select to_jsonb(c) as reminder,
        (select to_jsonb(t) - 'words' from tasks t where t.id = c.task_id and t.user_id = c.user_id) as task,
        ${audienceOf(sql, sql`c.user_id`)} as audience,
        exists (select from deliveries d where d.reminder_id = c.id and d.fire_at = c.fire_at) as has_fired
      from claimed c order by c.fire_at, c.id`
    return rows.map(({ reminder, task, audience, has_fired }) => ({
      reminder: reminderFromRow(fromJson(reminder)),
      task: task && taskFromRow(fromJson(task)),
      audience: audienceFromJson(audience),
      hasFired: has_fired,
    }))
  }
  return {
    claimDue: (due) => claim(due, sql``),
    claimOne: (reminderId, due) => claim(due, sql`and id = ${reminderId}`),
    async nextDueAt() {
      // What is leased lies at the front. Behind the first thousand of those, whoever has leased them looks again.
      const [row] = await sql<{ at: Date | null }[]>`
        select least(
          (select fire_at from reminders where fire_at is not null and lease_until is null
            order by fire_at, id limit 1),
          (select min(greatest(fire_at, lease_until)) from (
            select fire_at, lease_until from reminders where fire_at is not null
            order by fire_at, id limit 1000) front)) as at`
      return row!.at
    },
    async fireAtOf(reminderId) {
      const [row] = await sql<{ fire_at: Date | null }[]>`
        select fire_at from reminders where id = ${reminderId}`
      return row?.fire_at ?? null
    },
  }
}
