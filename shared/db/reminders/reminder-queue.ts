import type { Claim } from '../../app/ports.ts'
import type { DueReminder, ReminderQueue } from '../../app/reminders/ports.ts'
import type { Delivery } from '../../domain/notifications/notification.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from '../audience.ts'
import type { Sql, SqlFragment } from '../connect.ts'
import { isFree } from '../lease.ts'
import { reminderFromRow, type ReminderRow } from './reminder-rows.ts'
import { fromJson, taskFromRow, type TaskRow } from '../tasks/task-rows.ts'

/** Among so many of the users who wait longest, users take turns; who waits behind them is reached as those are served. */
const MAX_USERS = 1000
/** A user with reminders in a minute is found by one look at the index, however many they are; so many looks are taken. */
const MAX_LOOKS = 10_000
/** So many may be locked by other workers and passed by. */
const SPARE = 1000
/** Of one user at a time: they are committed one after the other, and what becomes due meanwhile waits for the last of them. */
const MAX_PER_USER = 20

interface DueRow {
  reminder: ReminderRow
  task: TaskRow | null
  audience: AudienceJson
  has_fired: boolean
  already_notified: Pick<Delivery, 'channel' | 'target'>[] | null
}

/** Takes what is due out of the table of reminders, each for one worker, with all that is needed to decide about it. */
export function createReminderQueue(sql: Sql): ReminderQueue {
  const isDue = (claim: Claim, of = sql``): SqlFragment =>
    sql`${of}fire_at <= ${claim.now} and ${isFree(sql, sql`${of}lease_until`, claim)}`
  /** `due`: the ids to claim, each with its `turn`. */
  const claim = async ({ leaseUntil }: Claim, due: SqlFragment): Promise<DueReminder[]> => {
    const rows = await sql<DueRow[]>`
      with due as (${due}),
      claimed as (
        update reminders r set lease_until = ${leaseUntil} from due where r.id = due.id returning r.*, due.turn)
      select to_jsonb(c) - 'turn' as reminder,
        (select to_jsonb(t) - 'words' from tasks t where t.id = c.task_id and t.user_id = c.user_id) as task,
        ${audienceOf(sql, sql`c.user_id`)} as audience,
        exists (select from deliveries d where d.reminder_id = c.id and d.fire_at = c.fire_at) as has_fired,
        (select jsonb_agg(jsonb_build_object('channel', d.channel, 'target', d.target)) from deliveries d
          where d.task_id = c.task_id and d.fire_at = c.fire_at and d.reminder_id is not null
            and d.state <> 'cancelled') as already_notified
      from claimed c order by c.turn, c.fire_at, c.id`
    return rows.map(({ reminder, task, audience, has_fired, already_notified }) => ({
      reminder: reminderFromRow(fromJson(reminder)),
      task: task && taskFromRow(fromJson(task)),
      audience: audienceFromJson(audience),
      hasFired: has_fired,
      alreadyNotified: already_notified ?? [],
    }))
  }
  return {
    // The first of every user, then the second of every user, and so on. What is locked has to be looked at again.
    claimDue: (due) =>
      claim(
        due,
        sql`
          select r.id, t.turn from (
            with ${usersDue(sql, due.now, isDue(due, sql`r.`))}
            select own.* from users u cross join lateral (
              select id, fire_at, row_number() over (order by fire_at, id) as turn from (
                select id, fire_at from reminders r where r.user_id = u.user_id and ${isDue(due, sql`r.`)}
                order by fire_at, id
                limit (select least(${MAX_PER_USER}, ${due.limit + SPARE} / count(*) + 1) from users)) r) own
            order by turn, fire_at, id limit ${due.limit + SPARE}) t
          join reminders r on r.id = t.id
          where ${isDue(due, sql`r.`)}
          order by t.turn, t.fire_at, t.id limit ${due.limit} for update of r skip locked`,
      ),
    claimOne: (reminderId, due) =>
      claim(
        due,
        sql`select id, 1 as turn from reminders where id = ${reminderId} and ${isDue(due)} for update skip locked`,
      ),
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

/**
 * `users`: of whom something is due, who waits longest first. Each minute's users are skipped through in the index, so
 * that the thousands that one user has in it are one look; a user counts in the minute of the first that is due.
 */
function usersDue(sql: Sql, now: Date, isDue: SqlFragment): SqlFragment {
  // As in the index reminders_due_of_user, in which what comes later in this minute is passed by.
  const minute = sql`date_trunc('minute', fire_at at time zone 'UTC')`
  const next = (beyond: SqlFragment): SqlFragment => sql`
    select ${minute} as minute, user_id from reminders
    where ${minute} <= ${now}::timestamptz at time zone 'UTC' and fire_at <= ${now} ${beyond}
    order by ${minute}, user_id limit 1`
  return sql`recursive places as (
    select 1 as look, first.* from (${next(sql``)}) first
    union all
    select look + 1, next.* from places p
    cross join lateral (${next(sql`and (${minute}, user_id) > (p.minute, p.user_id)`)}) next
    where look < ${MAX_LOOKS}),
  users as materialized (
    select p.user_id from places p cross join lateral (
      select ${minute} as minute from reminders r where r.user_id = p.user_id and ${isDue}
      order by fire_at, id limit 1) first
    where first.minute = p.minute limit ${MAX_USERS})`
}
