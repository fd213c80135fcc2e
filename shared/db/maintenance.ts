import type { Housekeeping } from '../app/tasks/ports.ts'
import type { WaitingSeriesReader } from '../app/recurrence/ports.ts'
import type { Sql, SqlFragment } from './connect.ts'

export const createWaitingSeriesReader = (sql: Sql): WaitingSeriesReader => ({
  withoutLiveTask: async (idleSince, after, limit) => {
    const beyond = after
      ? sql`and (updated_at, id) > (${after.waitingSince}::timestamptz, ${after.seriesId}::uuid)`
      : sql``
    const rows = await sql<{ user_id: string; id: string; updated_at: Date }[]>`
      select user_id, id, updated_at from series
      where state = 'active' and live_task_id is null and updated_at < ${idleSince} ${beyond}
      order by updated_at, id limit ${limit}`
    return rows.map((row) => ({ userId: row.user_id, seriesId: row.id, waitingSince: row.updated_at }))
  },
})

// Every replica purges: those that do it at the same time share the work instead of waiting for each other's rows. What
// is counted goes with its owner's counters, which are locked as by every write; who is writing is passed by. The row itself
// is locked too, and so looked at again: it may have been restored since the statement began, or its delivery replayed.
export const createHousekeeping = (sql: Sql): Housekeeping => ({
  purge: async (
    now,
    { marksBefore, deletedBefore, notificationsBefore, resolvedBefore, notificationsPerUser, batch },
  ) => {
    const deleted = (table: string, key: string, condition: SqlFragment) => sql`
      delete from ${sql(table)} where ${sql(key)} in (
        select ${sql(key)} from ${sql(table)} where ${condition} limit ${batch} for update skip locked) returning 1`
    const [row] = await sql<{ most: number }[]>`
      with keys as (
        delete from idempotency_keys where (user_id, key) in (
          select k.user_id, k.key from idempotency_keys k join user_counters c using (user_id)
          where k.expires_at < ${now} limit ${batch} for update of c, k skip locked)
        returning user_id, octet_length(answer) as bytes),
      marks as (
        delete from processed_events where (consumer, event_id) in (
          select consumer, event_id from processed_events where processed_at < ${marksBefore}
          limit ${batch} for update skip locked)
        returning 1),
      gone as (
        delete from tasks where id in (
          select t.id from tasks t join user_counters c using (user_id)
          where t.deleted_at < ${deletedBefore} limit ${batch} for update of c, t skip locked)
        returning id, user_id),
      unneeded as (delete from reminders r using gone where r.task_id = gone.id),
      removed as (${deleted('reminders', 'id', sql`deleted_at < ${deletedBefore} and origin <> 'default'`)}),
      old as (
        select n.id from notifications n join user_counters c using (user_id)
        where n.created_at < ${notificationsBefore} and ${isOver(sql)} limit ${batch} for update of c, n skip locked),
      crowded as (
        select user_id, least(kept_notifications - ${notificationsPerUser}, ${batch}) as excess from user_counters
        where kept_notifications > ${notificationsPerUser} limit ${batch} for update skip locked),
      surplus as (
        select n.id from crowded c cross join lateral (
          select id from notifications where user_id = c.user_id order by created_at, id limit c.excess) n
        where ${isOver(sql)} limit ${batch}),
      over as (select id from old union select id from surplus),
      ended as (
        select notification_id from deliveries where notification_id = any(array(select id from over))
          and state not in ('triggered', 'held') for update skip locked),
      old_notifications as (
        delete from notifications n where id = any(array(select id from over))
          and (select count(*) from deliveries d where d.notification_id = n.id)
            = (select count(*) from ended e where e.notification_id = n.id)
        returning id, user_id),
      done as (delete from deliveries d using old_notifications where d.notification_id = old_notifications.id),
      resolved_letters as (${deleted('dead_letters', 'id', sql`resolved_at < ${resolvedBefore}`)}),
      signed_out as (${deleted('sessions', 'id', sql`expires_at < ${now}`)}),
      expired as (${deleted('api_tokens', 'id', sql`expires_at < ${now}`)}),
      unused as (${deleted('tickets', 'digest', sql`expires_at < ${now}`)}),
      unset as (${deleted('password_resets', 'digest', sql`expires_at < ${now}`)}),
      uninvited as (${deleted('invitations', 'digest', sql`expires_at < ${now}`)}),
      forgotten as (${deleted('login_counts', 'key', sql`resets_at < ${now}`)}),
      counted as (
        update user_counters c set kept_tasks = c.kept_tasks - d.tasks, kept_answers = c.kept_answers - d.answers,
          answer_bytes = c.answer_bytes - d.bytes, kept_notifications = c.kept_notifications - d.notifications
        from (select user_id, sum(tasks) as tasks, sum(answers) as answers, sum(bytes) as bytes,
            sum(notifications) as notifications from (
            select user_id, 1 as tasks, 0 as answers, 0 as bytes, 0 as notifications from gone
            union all select user_id, 0, 1, bytes, 0 from keys
            union all select user_id, 0, 0, 0, 1 from old_notifications) each group by user_id) d
        where c.user_id = d.user_id)
      select greatest((select count(*) from keys), (select count(*) from marks), (select count(*) from gone),
        (select count(*) from removed), (select count(*) from old_notifications), (select count(*) from resolved_letters), (select count(*) from signed_out), (select count(*) from expired),
        (select count(*) from unused), (select count(*) from unset), (select count(*) from uninvited), (select count(*) from forgotten))::int as most`
    return row!.most
  },
})

/** Of the notification `n`: nothing of it is still to be delivered. */
const isOver = (sql: Sql) => sql`coalesce((
  select bool_and(d.state not in ('triggered', 'held')) from deliveries d where d.notification_id = n.id), true)`

export const createPing = (sql: Sql) => ({ ping: () => sql`select 1`.then(() => true) })
