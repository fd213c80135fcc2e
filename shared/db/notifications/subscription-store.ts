import type { PushSubscription, SubscriptionStore } from '../../app/notifications/ports.ts'
import { columnsOf } from '../columns.ts'
import type { Sql, Transaction } from '../connect.ts'
import { inTransaction } from '../transaction.ts'

const { fromRow } = columnsOf<PushSubscription>()({
  id: 'id',
  userId: 'user_id',
  sessionId: 'session_id',
  channel: 'channel',
  endpoint: 'endpoint',
  keys: 'keys',
  createdAt: 'created_at',
  confirmedAt: 'confirmed_at',
})
type Row = Parameters<typeof fromRow>[0]

export function createSubscriptionStore(sql: Sql): SubscriptionStore {
  return {
    async list(userId) {
      const rows = await sql<Row[]>`
        select * from push_subscriptions where user_id = ${userId} order by created_at, id`
      return rows.map(fromRow)
    },
    async add(subscription, most) {
      for (;;) {
        const result = await inTransaction(sql, (tx) => tryToAdd(tx, subscription, most))
        if (result !== 'again') return result
      }
    },
    async remove(userId, id) {
      const gone =
        await sql`delete from push_subscriptions where id = ${id} and user_id = ${userId} returning 1`
      return gone.length > 0
    },
  }
}

/** `again`: another one came with the same endpoint at the same moment, and is there now. */
async function tryToAdd(
  tx: Transaction,
  subscription: PushSubscription,
  most: number,
): Promise<PushSubscription | 'taken' | 'too_many' | 'signed_out' | 'again'> {
  const { id, userId, sessionId, channel, endpoint, createdAt, confirmedAt } = subscription
  const keys = subscription.keys && tx.json(subscription.keys)
  // One at a time per user, so that the count below holds.
  await tx`select pg_advisory_xact_lock(hashtextextended(${`push_subscriptions/${userId}`}, 0))`
  // Whoever ends the session, or the API token, waits, and finds the subscription then.
  const [access] = await tx<{ session_id: string | null; api_token_id: string | null }[]>`
    with signed_in as (
      select id from sessions
      where id = ${sessionId} and revoked_at is null and expires_at > ${createdAt} for share),
    token as (select id from api_tokens where id = ${sessionId} and expires_at > ${createdAt} for share)
    select (select id from signed_in) as session_id, (select id from token) as api_token_id`
  const { session_id, api_token_id } = access!
  if (sessionId && !session_id && !api_token_id) return 'signed_out'
  const [known] = await tx<(Row & { has_same_keys: boolean })[]>`
    select *, keys is not distinct from ${keys}::jsonb as has_same_keys from push_subscriptions
    where md5(endpoint) = md5(${endpoint}) for update`
  if (known && known.endpoint !== endpoint) return 'taken'
  if (known?.user_id === userId) {
    await tx`
      update push_subscriptions set keys = ${keys}::jsonb, session_id = ${session_id}, api_token_id = ${api_token_id}
      where id = ${known.id}`
    return { ...fromRow(known), keys: subscription.keys, sessionId: session_id }
  }
  if (known && !known.has_same_keys) return 'taken'
  const [count] = await tx<{ of_user: number }[]>`
    select count(*)::int as of_user from push_subscriptions where user_id = ${userId}`
  if ((count?.of_user ?? 0) >= most) return 'too_many'
  // It gets a new id: what was on its way to the device for the other user must not come to it any more.
  if (known) await tx`delete from push_subscriptions where id = ${known.id}`
  const [added] = await tx<Row[]>`
    insert into push_subscriptions (id, user_id, session_id, api_token_id, channel, endpoint, keys, created_at, confirmed_at)
    values (${id}, ${userId}, ${session_id}, ${api_token_id}, ${channel}, ${endpoint}, ${keys}::jsonb, ${createdAt}, ${confirmedAt})
    on conflict do nothing returning *`
  return added ? fromRow(added) : 'again'
}
