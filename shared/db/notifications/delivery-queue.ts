import type { Claim } from '../../app/ports.ts'
import type { Destination, DeliveryQueue, DueDelivery, HeldDelivery } from '../../app/notifications/ports.ts'
import type { FiringDelivery } from '../../domain/notifications/delivery-plan.ts'
import { NOTIFICATION_TYPES } from '../../domain/notifications/notification.ts'
import { audienceFromJson, audienceOf, type AudienceJson } from '../audience.ts'
import type { Sql, SqlFragment } from '../connect.ts'
import { isFree } from '../lease.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'
import {
  deliveryFromRow,
  notificationFromRow,
  type DeliveryRow,
  type NotificationRow,
} from '../reminders/reminder-rows.ts'
import { fromJson } from '../tasks/task-rows.ts'

/** What others have claimed lies at the front; behind so many of those, whoever has claimed them looks again. */
const FRONT = 200

interface FiringRow {
  delivery: DeliveryRow
  notification: NotificationRow
  siblings: DeliveryRow[] | null
}

interface DueRow extends FiringRow {
  carried: FiringRow[] | null
  destination: Destination | null
}

/** The ledger as a queue: each row for one worker at a time. */
export function createDeliveryQueue(sql: Sql): DeliveryQueue {
  const claimSome = async (claim: Claim, only: SqlFragment): Promise<DueDelivery[]> => {
    const rows = await sql<DueRow[]>`
      with due as (
        select id from deliveries
        where state = 'triggered' and next_attempt_at <= ${claim.now} and ${only} and ${isFree(sql, sql`lease_until`, claim)}
        order by next_attempt_at, id limit ${claim.limit} for update skip locked),
      d as (
        update deliveries c set lease_until = ${claim.leaseUntil} from due where c.id = due.id returning c.*)
      select ${dueOf(sql)} from d order by d.next_attempt_at, d.id`
    return rows.map(dueFromRow)
  }
  return {
    claimDue: (channel, claim) =>
      claimSome(claim, sql`channel = ${channel} and user_id <> all(${[...(claim.without ?? [])]}::uuid[])`),
    claimForNotification: (notificationId, claim) =>
      claimSome(claim, sql`notification_id = ${notificationId}`),
    async get(deliveryId) {
      const [row] = await sql<DueRow[]>`
        select ${dueOf(sql)} from deliveries d where d.id = ${deliveryId} and d.state = 'triggered'`
      return row ? dueFromRow(row) : null
    },
    async postpone(deliveryId, { leaseUntil }, until) {
      await sql`update deliveries set lease_until = ${until}
        where id = ${deliveryId} and state = 'triggered' and lease_until = ${leaseUntil}`
    },
    async eventOf({ id, userId, source }) {
      const [row] = await sql<EventRow[]>`
        select * from events where user_id = ${userId} and type in ('reminder.triggered', 'notification.requested')
          and (data #>> '{notification,id}' = ${id} or 'event/' || id = ${source})
        order by seq desc limit 1`
      return row ? recordedEvent(row) : null
    },
    async claimHeld(claim) {
      const rows = await sql<HeldRow[]>`
        with head as (${firstHeld(sql, claim)}),
        chosen as (
          (select distinct notification_id from deliveries
            where user_id = (select user_id from head) and state = 'held' and digest_id is null
            order by notification_id limit ${claim.limit})
          union select notification_id from head),
        d as (
          update deliveries c set lease_until = ${claim.leaseUntil} from chosen
          where c.notification_id = chosen.notification_id and c.state = 'held' and c.digest_id is null returning c.*)
        select to_jsonb(d) as delivery,
          (select to_jsonb(n) from notifications n where n.id = d.notification_id) as notification,
          ${isWanted(sql)} as is_wanted, ${audienceOf(sql, sql`d.user_id`)} as audience
        from d order by d.triggered_at, d.id`
      if (rows.length === 0) return null
      return { audience: audienceFromJson(rows[0]!.audience), held: rows.map(heldFromRow) }
    },
    async claimDigests(claim) {
      const rows = await sql<{ audience: AudienceJson; next_digest_at: Date }[]>`
        with due as (
          select user_id from notification_preferences
          where next_digest_at <= ${claim.now} and ${isFree(sql, sql`digest_lease_until`, claim)}
          order by next_digest_at limit ${claim.limit} for update skip locked),
        taken as (
          update notification_preferences c set digest_lease_until = ${claim.leaseUntil}
          from due where c.user_id = due.user_id returning c.user_id, c.next_digest_at)
        select ${audienceOf(sql, sql`taken.user_id`)} as audience, next_digest_at from taken order by next_digest_at`
      return rows.map((row) => ({ audience: audienceFromJson(row.audience), dueAt: row.next_digest_at }))
    },
    async nextDueAt() {
      const [row] = await sql<{ at: Date | null }[]>`
        select least(
          (select min(front.at) from unnest(array['email', 'web_push', 'mobile_push', 'webhook']) c (channel)
            cross join lateral (
              select greatest(next_attempt_at, lease_until) as at from deliveries d
              where d.channel = c.channel and state = 'triggered' order by next_attempt_at, id limit ${FRONT}) front),
          (select min(at) from (
            select distinct on (user_id) greatest(next_attempt_at, lease_until) as at from (
              select user_id, id, next_attempt_at, lease_until from deliveries
              where state = 'held' and digest_id is null order by next_attempt_at, id limit ${FRONT}) front
            order by user_id, next_attempt_at, id) heads),
          (select min(at) from (
            select greatest(next_digest_at, digest_lease_until) as at from notification_preferences
            where next_digest_at is not null order by next_digest_at limit ${FRONT}) front)) as at`
      return row!.at
    },
  }
}

/**
 * The first row that is held back for somebody and whose time has come. Only the first of a user's rows can be the one,
 * so that two workers never share what belongs into one digest.
 */
const firstHeld = (sql: Sql, claim: Claim): SqlFragment => sql`
  select user_id, notification_id from deliveries h
  where state = 'held' and digest_id is null and next_attempt_at <= ${claim.now} and ${isFree(sql, sql`lease_until`, claim)}
    and not exists (select from deliveries e where e.user_id = h.user_id and e.state = 'held' and e.digest_id is null
      and (e.next_attempt_at, e.id) < (h.next_attempt_at, h.id))
  order by next_attempt_at, id limit 1 for update skip locked`

/**
 * Of the delivery `d`: its task is open, and nobody has dealt with its reminder or set it anew: then it comes again. One that
 * was removed or set anew has told for others of the same time as well, which have been silent.
 */
const isWanted = (sql: Sql): SqlFragment => sql`(
  select (n.task_id is null or exists (select from tasks t where t.id = n.task_id and t.user_id = d.user_id
      and t.completed_at is null and t.deleted_at is null))
    and (n.reminder_id is null or exists (
      select from reminders r join reminders o on o.task_id = r.task_id
      where r.id = n.reminder_id and r.acknowledged_at is null and (o.id = r.id or o.fired_at = d.fire_at)
        and o.acknowledged_at is null and o.cancelled_at is null and o.deleted_at is null and o.fire_at is null))
  from notifications n where n.id = d.notification_id)`

/**
 * The select list of a {@link DueRow} for the delivery `d`. To what is not confirmed goes only what asks for it, and mail about
 * the account, which names its address.
 */
function dueOf(sql: Sql): SqlFragment {
  const isChosen = sql`n.type = any(${[...NOTIFICATION_TYPES]})`
  return sql`
  ${firingOf(sql, sql`d`)},
  (select jsonb_agg(to_jsonb(one)) from deliveries h cross join lateral (select ${firingOf(sql, sql`h`)}) one
    where h.digest_id = d.notification_id and h.state = 'held') as carried,
  case d.channel
    when 'email' then (select jsonb_build_object('channel', 'email', 'address',
        case when ${isChosen} or n.body = '' then u.email else n.body end)
      from users u join notifications n on n.id = d.notification_id
      where u.id = d.user_id and u.email is not null and (u.email_confirmed_at is not null or not ${isChosen}))
    when 'webhook' then (select jsonb_build_object('channel', 'webhook', 'url', p.webhook_url, 'secret', p.webhook_secret)
      from notification_preferences p where p.user_id = d.user_id and p.webhook_url is not null
        and case when ${isFirst(sql)} then p.webhook_id = d.target else p.webhook_confirmed_at is not null end)
    else (select case s.channel
        when 'web_push' then jsonb_build_object('channel', 'web_push', 'subscriptionId', s.id, 'endpoint', s.endpoint, 'keys', s.keys)
        else jsonb_build_object('channel', 'mobile_push', 'subscriptionId', s.id, 'token', s.endpoint) end
      from push_subscriptions s where s.id = d.target and s.user_id = d.user_id and s.channel = d.channel
        and (s.confirmed_at is not null or ${isFirst(sql)}))
  end as destination`
}

/** Whether the delivery `d` is the first message to where it goes. */
const isFirst = (sql: Sql): SqlFragment => sql`
  exists (select from notifications n where n.id = d.notification_id and n.type = 'confirmation')`

const firingOf = (sql: Sql, of: SqlFragment): SqlFragment => sql`
  to_jsonb(${of}) as delivery,
  (select to_jsonb(n) from notifications n where n.id = ${of}.notification_id) as notification,
  (select jsonb_agg(to_jsonb(s) order by s.id) from deliveries s
    where s.notification_id = ${of}.notification_id and s.id <> ${of}.id) as siblings`

const delivery = (row: DeliveryRow) => deliveryFromRow(fromJson(row))

const firingFromRow = (row: FiringRow): FiringDelivery => ({
  delivery: delivery(row.delivery),
  notification: notificationFromRow(fromJson(row.notification)),
  siblings: (row.siblings ?? []).map(delivery),
})

const dueFromRow = (row: DueRow): DueDelivery => ({
  ...firingFromRow(row),
  carried: (row.carried ?? []).map(firingFromRow),
  destination: row.destination ?? { channel: 'none' },
})

interface HeldRow {
  delivery: DeliveryRow
  notification: NotificationRow
  is_wanted: boolean
  audience: AudienceJson
}

const heldFromRow = (row: HeldRow): HeldDelivery => ({
  delivery: delivery(row.delivery),
  notification: notificationFromRow(fromJson(row.notification)),
  isWanted: row.is_wanted,
})
