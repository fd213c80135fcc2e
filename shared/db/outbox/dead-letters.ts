import type { DeadLetter, DeadLetters } from '../../app/outbox/ports.ts'
import { columnsOf } from '../columns.ts'
import type { Sql, Transaction } from '../connect.ts'
import { inTransaction } from '../transaction.ts'

const { fromRow: letterFromRow } = columnsOf<DeadLetter>()({
  id: 'id',
  eventId: 'event_id',
  consumer: 'consumer',
  type: 'type',
  userId: 'user_id',
  reason: 'reason',
  letter: 'letter',
  state: 'state',
  times: 'times',
  receivedAt: 'received_at',
  resolvedAt: 'resolved_at',
})
type LetterRow = Parameters<typeof letterFromRow>[0]

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Of one user: a webhook that never answers must not fill the table. The events themselves stay where they are. */
const MAX_OPEN_LETTERS = 1000

export const createDeadLetters = (sql: Sql): DeadLetters => ({
  keep: async ({ letter, ...about }) => {
    const [row] = await sql<{ is_kept: boolean }[]>`
      with crowd as (
        select count(*) as letters from (select from dead_letters
          where user_id = ${about.userId} and state = 'open' limit ${MAX_OPEN_LETTERS}) open),
      kept as (
      insert into dead_letters as d (id, event_id, consumer, type, user_id, reason, letter, state, times, received_at)
      select ${about.id}::uuid, ${about.eventId}, ${about.consumer}, ${about.type}, ${about.userId}::uuid, ${about.reason},
        ${sql.json(letter as never)}::jsonb, 'open', 1, ${about.receivedAt}::timestamptz
        from crowd where letters < ${MAX_OPEN_LETTERS}
      on conflict (event_id, consumer) do update set state = 'open', times = d.times + 1, resolved_at = null,
        type = excluded.type, user_id = excluded.user_id, reason = excluded.reason, letter = excluded.letter,
        received_at = excluded.received_at
      where d.state <> 'open')
      select letters < ${MAX_OPEN_LETTERS} or exists (
        select from dead_letters where event_id = ${about.eventId} and consumer = ${about.consumer} and state = 'open')
        as is_kept from crowd`
    return row!.is_kept
  },

  list: async ({ state, limit, after }) => {
    const wanted = state === 'all' ? sql`true` : sql`state = ${state}`
    const beyond = after
      ? sql`and (received_at, id) > (select received_at, id from dead_letters where id = ${after})`
      : sql``
    const rows = await sql<LetterRow[]>`
      select * from dead_letters where ${wanted} ${beyond} order by received_at, id limit ${limit}`
    return rows.map(letterFromRow)
  },

  get: async (id) => {
    if (!UUID.test(id)) return null
    const [row] = await sql<LetterRow[]>`select * from dead_letters where id = ${id}`
    return row ? letterFromRow(row) : null
  },

  replay: async (id, now) => {
    if (!UUID.test(id)) return 'unknown'
    return inTransaction(sql, async (tx) => {
      const letters = await tx<{ id: string; event_id: string; state: DeadLetter['state'] }[]>`
        select id, event_id, state from dead_letters
        where event_id = (select event_id from dead_letters where id = ${id}) order by id for update`
      const letter = letters.find((one) => one.id === id.toLowerCase())
      if (!letter) return 'unknown'
      if (letter.state !== 'open') return 'not_open'
      if (!(await publishAgain(tx, letter.event_id, now))) return 'not_ours'
      // The event goes to every consumer that has not done it, so this answers the letters of all of them.
      await tx`update dead_letters set state = 'replayed', resolved_at = ${now}
        where event_id = ${letter.event_id} and state = 'open'`
      return 'replayed'
    })
  },

  discard: async (id, now) => {
    if (!UUID.test(id)) return 'unknown'
    const [row] = await sql<{ is_changed: boolean }[]>`
      with discarded as (
        update dead_letters set state = 'discarded', resolved_at = ${now}
        where id = ${id} and state = 'open' returning 1)
      select exists (select from discarded) as is_changed from dead_letters where id = ${id}`
    if (!row) return 'unknown'
    return row.is_changed ? 'discarded' : 'not_open'
  },
})

/** Points the outbox at the event again; false when it is none of ours. */
async function publishAgain(tx: Transaction, eventId: string, now: Date): Promise<boolean> {
  if (!UUID.test(eventId)) return false
  const [event] = await tx<{ user_id: string; notification_id: string | null }[]>`
    with event as (select user_id, seq, data from events where id = ${eventId}),
    pointer as (
      insert into outbox (user_id, seq, time) select user_id, seq, ${now} from event on conflict do nothing)
    select user_id, data -> 'notification' ->> 'id' as notification_id from event`
  if (!event) return false
  // What the event led to: a reminder's notification is in it, a request's names it. What a digest carries waits for it
  // once more.
  await tx`
    with rearmed as (
      update deliveries set state = 'triggered', attempts = 0, next_attempt_at = ${now}, triggered_at = ${now},
        reason = null, version = version + 1, lease_until = null
      where user_id = ${event.user_id} and state = 'failed' and notification_id in (
        select id from notifications where user_id = ${event.user_id}
          and (id = ${event.notification_id} or source = ${`event/${eventId.toLowerCase()}`}))
      returning notification_id)
    update deliveries set state = 'held', version = version + 1, lease_until = null
    where state = 'failed' and digest_id in (select notification_id from rearmed)`
  return true
}
