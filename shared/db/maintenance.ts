import type { Housekeeping, SeriesSweep } from '../app/ports.ts'
import type { Sql } from './connect.ts'

export const createSeriesSweep = (sql: Sql): SeriesSweep => ({
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

// Every replica purges: those that do it at the same time share the work instead of waiting for each other's rows.
export const createHousekeeping = (sql: Sql): Housekeeping => ({
  purge: async (now, { marksBefore, deletedBefore, toldBefore, settledBefore, batch }) => {
    const [row] = await sql<{ most: number }[]>`
      with keys as (
        delete from idempotency_keys where (user_id, key) in (
          select user_id, key from idempotency_keys where expires_at < ${now} limit ${batch} for update skip locked) returning 1),
      marks as (
        delete from processed_events where (consumer, event_id) in (
          select consumer, event_id from processed_events where processed_at < ${marksBefore}
          limit ${batch} for update skip locked)
        returning 1),
      gone as (
        delete from tasks where id in (
          select id from tasks where deleted_at < ${deletedBefore} limit ${batch} for update skip locked) returning id),
      unneeded as (delete from reminders r using gone where r.task_id = gone.id),
      removed as (
        delete from reminders where id in (
          select id from reminders where deleted_at < ${deletedBefore} limit ${batch} for update skip locked) returning 1),
      told as (
        delete from notifications where id in (
          select id from notifications n where created_at < ${toldBefore} and coalesce((
            select bool_and(d.state not in ('triggered', 'held')) from deliveries d where d.notification_id = n.id), true)
          limit ${batch} for update skip locked)
        returning id),
      done as (delete from deliveries d using told where d.notification_id = told.id),
      settled as (
        delete from dead_letters where id in (
          select id from dead_letters where resolved_at < ${settledBefore} limit ${batch} for update skip locked)
        returning 1),
      signed_out as (
        delete from sessions where id in (
          select id from sessions where expires_at < ${now} limit ${batch} for update skip locked) returning 1),
      unused as (
        delete from tickets where digest in (
          select digest from tickets where expires_at < ${now} limit ${batch} for update skip locked) returning 1),
      forgotten as (
        delete from login_counts where key in (
          select key from login_counts where resets_at < ${now} limit ${batch} for update skip locked) returning 1)
      select greatest((select count(*) from keys), (select count(*) from marks), (select count(*) from gone),
        (select count(*) from removed), (select count(*) from told), (select count(*) from settled), (select count(*) from signed_out),
        (select count(*) from unused), (select count(*) from forgotten))::int as most`
    return row!.most
  },
})

export const createPing = (sql: Sql) => ({ ping: () => sql`select 1`.then(() => true) })
