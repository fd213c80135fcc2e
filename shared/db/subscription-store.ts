import type { PushSubscription, SubscriptionStore } from '../app/reminder-ports.ts'
import type { Sql, Transaction } from './connect.ts'
import { inTransaction } from './transaction.ts'

interface Row {
  id: string
  user_id: string
  channel: PushSubscription['channel']
  endpoint: string
  keys: PushSubscription['keys']
  created_at: Date
}

const fromRow = (row: Row): PushSubscription => ({
  ...{ id: row.id, userId: row.user_id, channel: row.channel, endpoint: row.endpoint },
  ...{ keys: row.keys, createdAt: row.created_at },
})

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
): Promise<PushSubscription | 'taken' | 'too_many' | 'again'> {
  const { id, userId, channel, endpoint, createdAt } = subscription
  const keys = subscription.keys && tx.json(subscription.keys)
  // One at a time per user, so that the count below holds.
  await tx`select pg_advisory_xact_lock(hashtextextended(${`push_subscriptions/${userId}`}, 0))`
  const [known] = await tx<(Row & { has_same_keys: boolean })[]>`
    select *, keys is not distinct from ${keys}::jsonb as has_same_keys from push_subscriptions
    where md5(endpoint) = md5(${endpoint}) for update`
  if (known && known.endpoint !== endpoint) return 'taken'
  if (known?.user_id === userId) {
    await tx`update push_subscriptions set keys = ${keys}::jsonb where id = ${known.id}`
    return { ...fromRow(known), keys: subscription.keys }
  }
  if (known && !known.has_same_keys) return 'taken'
  const [count] = await tx<{ of_user: number }[]>`
    select count(*)::int as of_user from push_subscriptions where user_id = ${userId}`
  if ((count?.of_user ?? 0) >= most) return 'too_many'
  // It gets a new id: what was on its way to the device for the other user must not come to it any more.
  if (known) await tx`delete from push_subscriptions where id = ${known.id}`
  const [added] = await tx<Row[]>`
    insert into push_subscriptions (id, user_id, channel, endpoint, keys, created_at)
    values (${id}, ${userId}, ${channel}, ${endpoint}, ${keys}::jsonb, ${createdAt})
    on conflict do nothing returning *`
  return added ? fromRow(added) : 'again'
}
