import type { Sql, Transaction } from '../../../shared/db/connect.ts'

/** The state store refused a write, with the text of Dapr's PostgreSQL store (components-contrib state/postgresql/v2). */
export class StateError extends Error {
  readonly isEtagMismatch: boolean

  constructor(message: string, isEtagMismatch = false) {
    super(message)
    this.name = 'StateError'
    this.isEtagMismatch = isEtagMismatch
  }
}

export interface StateWrite {
  readonly operation: 'upsert' | 'delete'
  readonly key: string
  /** JSON text. */
  readonly value: string
  readonly etag: string | null
  readonly isFirstWrite: boolean
  /** Null: the value stays. */
  readonly ttlSeconds: number | null
}

export interface StateItem {
  readonly key: string
  readonly value: string
  readonly etag: string
  readonly expiresAt: Date | null
}

interface StateRow {
  key: string
  value: string
  etag: string
  expires_at: Date | null
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The values that exist and have not expired, in no particular order. */
export async function readState(
  sql: Sql,
  store: string,
  keys: readonly string[],
  now: Date,
): Promise<StateItem[]> {
  if (keys.length === 0) return []
  const rows = await sql<StateRow[]>`
    select key, value, etag, expires_at from dapr.state
    where store = ${store} and key in ${sql(keys)} and (expires_at is null or expires_at >= ${now})`
  return rows.map(({ expires_at, ...row }) => ({ ...row, expiresAt: expires_at }))
}

/** Applies one write. Throws a StateError when its ETag or its concurrency option forbids it. */
export async function writeState(
  sql: Sql | Transaction,
  store: string,
  write: StateWrite,
  now: Date,
): Promise<void> {
  const { key, etag } = write
  if (etag !== null && !UUID.test(etag)) throw mismatch(invalidUuid(etag))
  const { count } =
    write.operation === 'delete' ? await remove(sql, store, key, etag) : await upsert(sql, store, write, now)
  if (count === 1 || (write.operation === 'delete' && etag === null)) return
  throw etag === null ? new StateError('no item was updated') : mismatch()
}

/** Applies all or none. */
export async function writeAll(
  sql: Sql,
  store: string,
  writes: readonly StateWrite[],
  now: Date,
): Promise<void> {
  await sql.begin(async (tx) => {
    for (const write of writes) await writeState(tx, store, write, now)
  })
}

function upsert(sql: Sql | Transaction, store: string, write: StateWrite, now: Date) {
  const { key, value, etag, isFirstWrite, ttlSeconds } = write
  const expiresAt = ttlSeconds === null ? null : new Date(now.getTime() + ttlSeconds * 1000)
  if (etag !== null) {
    return sql`
      update dapr.state set value = ${value}, etag = gen_random_uuid(), expires_at = ${expiresAt}
      where store = ${store} and key = ${key} and etag = ${etag} and (expires_at is null or expires_at >= ${now})`
  }
  return sql`
    insert into dapr.state as s (store, key, value, expires_at) values (${store}, ${key}, ${value}, ${expiresAt})
    on conflict (store, key) do update
    set value = excluded.value, etag = gen_random_uuid(), expires_at = excluded.expires_at
    where not ${isFirstWrite} or s.expires_at < ${now}`
}

function remove(sql: Sql | Transaction, store: string, key: string, etag: string | null) {
  const matches = etag === null ? sql`true` : sql`etag = ${etag}`
  return sql`delete from dapr.state where store = ${store} and key = ${key} and ${matches}`
}

export async function removeExpiredState(sql: Sql, now: Date): Promise<void> {
  await sql`delete from dapr.state where expires_at < ${now}`
}

export function mismatch(detail?: string): StateError {
  const text = 'possible etag mismatch. error from state store'
  return new StateError(detail === undefined ? text : `${text}: ${detail}`, true)
}

// The words of Go's uuid package, which also knows spellings with braces, without dashes and as a URN.
function invalidUuid(text: string): string {
  const length = Buffer.byteLength(text)
  return [32, 36, 38, 45].includes(length) ? 'invalid UUID format' : `invalid UUID length: ${length}`
}
