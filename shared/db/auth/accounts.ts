import type { Accounts } from '../../app/auth/ports.ts'
import type { Sql, SqlFragment } from '../connect.ts'
import { accountPages } from './account-pages.ts'

/** Rows that go first, because what belongs to them is found by them. */
const TASKS = 'tasks'
const NOTIFICATIONS = 'notifications'
const OCCURRENCES = 'occurrences'
/** Of which only the content goes. */
const AUDIT = 'audit_entries'

/**
 * Every table with rows of users, the owners before what they are found by. Reminders go with their tasks
 * and deliveries with their notifications. What stays is `deleted_accounts` and the chain of the audit trail, which still verifies.
 */
const ERASED_TABLES = [
  TASKS,
  NOTIFICATIONS,
  OCCURRENCES,
  'series',
  'tags',
  'idempotency_keys',
  'notification_preferences',
  'push_subscriptions',
  'external_identities',
  'sessions',
  'api_tokens',
  'tickets',
  'password_resets',
  'login_counts',
  'dead_letters',
  'outbox',
  'events',
  AUDIT,
  'user_counters',
]

export function createAccounts(sql: Sql): Accounts {
  return {
    pagesOf: (userId) => accountPages(sql, userId),
    tables: ERASED_TABLES,
    async eraseSome(userId, table, limit) {
      const { count } = await erasure(sql, table, { userId, limit })
      return count
    },
    async toErase(after, limit) {
      const rows = await sql<{ user_id: string; deleted_at: Date }[]>`
        select user_id, deleted_at from deleted_accounts
        where erased_at is null and ${after === null ? sql`true` : sql`user_id > ${after}`}
        order by user_id limit ${limit}`
      return rows.map((row) => ({ userId: row.user_id, deletedAt: row.deleted_at }))
    },
    async markErased(userId, now) {
      const left = ERASED_TABLES.filter((table) => table !== OCCURRENCES).map(
        (table) =>
          sql`and not exists (select from ${sql(table)} t where user_id = ${userId} ${tail(sql, table)})`,
      )
      await sql`update deleted_accounts d set erased_at = ${now} where user_id = ${userId} ${left}`
    },
  }
}

/** The event that tells of the deletion stays, is published like any other, and has its entry in the audit trail. */
const tail = (sql: Sql, table: string): SqlFragment => sql`
  ${table === AUDIT ? sql`and body is not null` : sql``} ${
    ['events', 'outbox', AUDIT].includes(table)
      ? sql`and seq < (select last_seq from deleted_accounts a where a.user_id = t.user_id)`
      : sql``
  }`

function erasure(sql: Sql, table: string, { userId, limit }: { userId: string; limit: number }) {
  switch (table) {
    // Indexes are of those that are deleted, or of those that are not.
    case TASKS:
      return sql`
        with gone as (
          (select id from tasks where user_id = ${userId} and deleted_at is null limit ${limit})
          union all (select id from tasks where user_id = ${userId} and deleted_at is not null limit ${limit})),
        unneeded as (delete from reminders r using gone where r.task_id = gone.id)
        delete from tasks where id = any(array(select id from gone))`
    case NOTIFICATIONS:
      return sql`
        with gone as (select id from notifications where user_id = ${userId} limit ${limit}),
        done as (delete from deliveries d using gone where d.notification_id = gone.id)
        delete from notifications where id = any(array(select id from gone))`
    case OCCURRENCES:
      return sql`
        delete from occurrences where ctid = any(array(
          select o.ctid from series s join occurrences o on o.series_id = s.id
          where s.user_id = ${userId} limit ${limit}))`
    // Nobody waits for these, and whoever looks for them passes by those that are done with.
    case AUDIT:
      return sql`
        update audit_entries set action = null, resource = null, body = null, salt = null where ctid = any(array(
          select ctid from audit_entries t where user_id = ${userId} ${tail(sql, table)} limit ${20 * limit}
          for update skip locked))`
    default:
      return sql`
        delete from ${sql(table)} where ctid = any(array(
          select ctid from ${sql(table)} t where user_id = ${userId} ${tail(sql, table)} limit ${limit}
          for update skip locked))`
  }
}
