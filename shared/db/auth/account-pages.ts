import type { ExportedPage } from '../../app/auth/ports.ts'
import { toCloudEvent } from '../../domain/cloud-event.ts'
import { notificationView } from '../../domain/notifications/notification.ts'
import { seriesView } from '../../domain/recurrence/series.ts'
import { slotText } from '../../domain/recurrence/slots.ts'
import { reminderView } from '../../domain/reminders/reminder.ts'
import { taskView } from '../../domain/tasks/task.ts'
import type { Sql, SqlFragment } from '../connect.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'
import { MAX_PAGE_BYTES } from '../page-bytes.ts'
import {
  deliveryFromRow,
  notificationFromRow,
  reminderFromRow,
  type DeliveryRow,
  type NotificationRow,
  type ReminderRow,
} from '../reminders/reminder-rows.ts'
import {
  fromJson,
  seriesFromRow,
  taskFromRow,
  type OccurrenceRow,
  type SeriesRow,
  type TaskRow,
} from '../tasks/task-rows.ts'

/** A task has 32 KiB at most, and an ordinary one a hundredth of that. */
const PAGE = 100
const MANY = 500

/**
 * What an export holds, in statements of a page each, so that whoever takes it slowly keeps no connection. Not there: what is
 * derived (tags, counters), secrets of ours (digests, hashes), and what is over in a day (stored answers, tickets).
 */
export async function* accountPages(sql: Sql, userId: string): AsyncGenerator<ExportedPage> {
  yield* tasks(sql, userId)
  yield* series(sql, userId)
  yield* occurrences(sql, userId)
  yield* notifications(sql, userId)
  yield { section: 'push_subscriptions', items: await pushSubscriptions(sql, userId) }
  yield { section: 'sessions', items: await sessions(sql, userId) }
  yield { section: 'api_tokens', items: await apiTokens(sql, userId) }
  yield { section: 'external_identities', items: await externalIdentities(sql, userId) }
  yield* events(sql, userId)
}

/** Pages by a key that goes up, each after the last of the one before. */
async function* pages<Row>(
  section: string,
  size: number,
  read: (after: Row | null) => Promise<readonly Row[]>,
  view: (row: Row) => object,
): AsyncGenerator<ExportedPage> {
  let after: Row | null = null
  for (;;) {
    const rows: readonly Row[] = await read(after)
    yield { section, items: rows.map(view) }
    if (rows.length < size) return
    after = rows.at(-1)!
  }
}

interface TaskJson {
  task: TaskRow
  reminders: { reminder: ReminderRow; deliveries: DeliveryRow[] | null }[] | null
}

/** The bytes of an id. */
const ID = 16

/**
 * Those that there are in the beginning, each once: while an export is taken a task changes what lists find it by, and not its id.
 * The ids of 200,000 are 3 MiB.
 */
async function* tasks(sql: Sql, userId: string): AsyncGenerator<ExportedPage> {
  const [row] = await sql<{ ids: Buffer | null }[]>`
    select string_agg(uuid_send(id), ''::bytea order by id) as ids from (
      select id from tasks where user_id = ${userId} and deleted_at is null
      union all select id from tasks where user_id = ${userId} and deleted_at is not null) each`
  const ids = row?.ids ?? Buffer.alloc(0)
  let at = 0
  do {
    const page =
      ids
        .subarray(at, (at += PAGE * ID))
        .toString('hex')
        .match(/.{32}/g) ?? []
    const rows = await sql<TaskJson[]>`
      select to_jsonb(t) - 'words' as task, (
        select jsonb_agg(jsonb_build_object('reminder', to_jsonb(r), 'deliveries', (
            select jsonb_agg(to_jsonb(d)) from deliveries d where d.reminder_id = r.id and d.fire_at = r.fired_at)) order by r.id)
        from reminders r where r.task_id = t.id and r.deleted_at is null) as reminders
      from tasks t where id = any(${page}::uuid[]) order by id`
    yield { section: 'tasks', items: rows.map(exportedTask) }
  } while (at < ids.length)
}

const exportedTask = ({ task, reminders }: TaskJson): object => ({
  ...taskView(taskFromRow(fromJson(task))),
  reminders: (reminders ?? []).map(({ reminder, deliveries }) =>
    reminderView(
      reminderFromRow(fromJson(reminder)),
      (deliveries ?? []).map((one) => deliveryFromRow(fromJson(one))),
    ),
  ),
})

function series(sql: Sql, userId: string) {
  const read = (after: { series: SeriesRow } | null) => sql<{ series: SeriesRow }[]>`
    select to_jsonb(s) as series from series s
    where user_id = ${userId} and ${isAfter(sql, after?.series.id)} order by id limit ${PAGE}`
  return pages('series', PAGE, read, (row) => seriesView(seriesFromRow(fromJson(row.series))))
}

function occurrences(sql: Sql, userId: string) {
  type Row = OccurrenceRow & { is_all_day: boolean }
  const read = (after: Row | null) => sql<Row[]>`
    select o.*, s.is_all_day from series s join occurrences o on o.series_id = s.id
    where s.user_id = ${userId} and ${
      after
        ? sql`s.id >= ${after.series_id} and (o.series_id, o.occurrence_at) > (${after.series_id}::uuid, ${after.occurrence_at}::timestamptz)`
        : sql`true`
    }
    order by o.series_id, o.occurrence_at limit ${MANY}`
  return pages('occurrences', MANY, read, (row) => ({
    series_id: row.series_id,
    occurrence_at: slotText(row.occurrence_at, { isAllDay: row.is_all_day }),
    state: row.state,
    task_id: row.task_id,
    closed_at: row.closed_at,
  }))
}

function notifications(sql: Sql, userId: string) {
  type Row = { at: Date; notification: NotificationRow; deliveries: DeliveryRow[] | null }
  const read = (after: Row | null) => sql<Row[]>`
    select created_at as at, to_jsonb(n) as notification,
      (select jsonb_agg(to_jsonb(d) order by d.id) from deliveries d where d.notification_id = n.id) as deliveries
    from notifications n where user_id = ${userId}
      and ${after ? sql`(created_at, id) > (${after.at}::timestamptz, ${after.notification.id}::uuid)` : sql`true`}
    order by created_at, id limit ${PAGE}`
  return pages('notifications', PAGE, read, ({ notification, deliveries }) => ({
    ...notificationView(notificationFromRow(fromJson(notification))),
    deliveries: (deliveries ?? []).map((row) => {
      const { id, channel, fireAt, state, attempts, deliveredAt, reason } = deliveryFromRow(fromJson(row))
      return { id, channel, fire_at: fireAt, state, attempts, delivered_at: deliveredAt, reason }
    }),
  }))
}

const pushSubscriptions = (sql: Sql, userId: string) => sql<object[]>`
  select id, channel, endpoint, created_at, confirmed_at, session_id
  from push_subscriptions where user_id = ${userId} order by created_at, id`

const sessions = (sql: Sql, userId: string) => sql<object[]>`
  select id, created_at, rotated_at as refreshed_at, expires_at, revoked_at, client_address, user_agent, client_id, scopes
  from sessions where user_id = ${userId} order by created_at, id`

const apiTokens = (sql: Sql, userId: string) => sql<object[]>`
  select id, name, scopes, created_at, expires_at, last_used_at
  from api_tokens where user_id = ${userId} order by created_at, id`

const externalIdentities = (sql: Sql, userId: string) => sql<object[]>`
  select issuer, subject from external_identities where user_id = ${userId} order by issuer, subject`

async function* events(sql: Sql, userId: string): AsyncGenerator<ExportedPage> {
  let since = 0
  for (;;) {
    const rows = await sql<
      EventRow[]
    >`select * from events_after(${userId}, ${since}, ${MANY}, ${MAX_PAGE_BYTES})`
    yield { section: 'events', items: rows.map((row) => toCloudEvent(recordedEvent(row))) }
    if (rows.length === 0) return
    since = rows.at(-1)!.seq
  }
}

const isAfter = (sql: Sql, id: string | undefined): SqlFragment =>
  id === undefined ? sql`true` : sql`id > ${id}`
