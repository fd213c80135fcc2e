import { auditBody } from '../../domain/audit/entry.ts'
import { nothing, replayEvent } from '../../domain/replay/rebuild.ts'
import { upcast } from '../../domain/upcast.ts'
import type { Sql, SqlFragment, Transaction } from '../connect.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'
import { inTransaction } from '../transaction.ts'
import { READ_MODELS, type ReadModel } from './read-models.ts'

export interface ReplayOptions {
  now: Date
  /** Makes the tables what the events say, where they differ. */
  apply: boolean
  onEvents?: (count: number) => void
  /** Tables that somebody writes without an event. */
  without?: readonly string[]
}

export interface Replayed {
  events: number
  /** What differs, for people; the first row of each table. */
  differences: string[]
  /** Rows that were made what the events say. */
  applied: number
}

/** Events of one statement, and rows of one. */
const PAGE = 1000

/** Tables of this connection alone, into which events are replayed. */
const PLACES = READ_MODELS.map(
  ({ table }) =>
    `create temp table if not exists ${replayed(table)} (like ${table} including generated) on commit delete rows;`,
).join('\n')

function replayed(table: string): string {
  return `replayed_${table}`
}

/** Makes the rows of a user anew from their events and compares them with those of the tables, in one snapshot of both. */
export const replayUser = (sql: Sql, userId: string, options: ReplayOptions): Promise<Replayed> =>
  inTransaction(sql, async (tx) => {
    // No write of the user comes in between; without it a snapshot does.
    if (options.apply) await tx`select hold_user(${userId})`
    else await tx`set transaction isolation level repeatable read`
    await tx.unsafe(PLACES)
    const fault = await rebuildRows(tx, userId, options)
    if ('reason' in fault)
      return { events: fault.events, differences: [`user ${userId}: ${fault.reason}`], applied: 0 }
    const models = READ_MODELS.filter(({ table }) => !options.without?.includes(table))
    const found = await firstDifferences(tx, models, userId, options.now)
    const differences: string[] = []
    let applied = 0
    for (const difference of found) {
      differences.push(`user ${userId}, ${await describe(tx, userId, difference)}`)
      const model = models.find(({ table }) => table === difference.table)!
      if (options.apply) applied += await applyRows(tx, model, userId, options.now)
    }
    return { events: fault.events, differences, applied }
  })

async function rebuildRows(
  tx: Transaction,
  userId: string,
  { onEvents = () => {} }: ReplayOptions,
): Promise<{ events: number } | { events: number; reason: string }> {
  const rows = nothing()
  let seq = 0
  for (;;) {
    const page = await tx<(EventRow & { body: string | null })[]>`
      select e.*, a.body from events e left join audit_entries a using (user_id, seq)
      where e.user_id = ${userId} and e.seq > ${seq} order by e.seq limit ${PAGE}`
    for (const row of page) {
      if (row.seq !== seq + 1) return { events: seq, reason: `the log lacks event ${seq + 1}` }
      seq = row.seq
      const event = recordedEvent(row)
      const { data } = upcast(event) ?? {}
      if (data === undefined) return { events: seq, reason: `event ${seq} has a version that is not known` }
      replayEvent(rows, event, data)
      if (row.body !== null && row.body !== auditBody(event)) {
        return { events: seq, reason: `the audit trail does not say what event ${seq} says` }
      }
    }
    onEvents(page.length)
    if (page.length < PAGE) break
  }
  for (const { table, rows: rowsOf } of READ_MODELS) {
    const made = rowsOf(rows, { userId, lastSeq: seq })
    const columns = made.length > 0 ? await columnsOf(tx, table) : []
    for (let at = 0; at < made.length; at += PAGE) {
      await tx`
        insert into ${tx(replayed(table))} (${tx(columns)})
        select ${tx(columns)} from json_populate_recordset(null::${tx(table)}, ${JSON.stringify(made.slice(at, at + PAGE))}::text::json)`
    }
  }
  return { events: seq }
}

/** Those that are written. */
async function columnsOf(tx: Transaction, table: string): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${table}::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''`
  return rows.map(({ name }) => name)
}

const keyOf = (tx: Transaction, { key }: ReadModel): SqlFragment =>
  key.length === 0
    ? tx`'[]'::jsonb`
    : tx`jsonb_build_array(${key.map((name, at) => (at === 0 ? tx`t.${tx(name)}` : tx`, t.${tx(name)}`))})`

const rowsIn = (
  tx: Transaction,
  model: ReadModel,
  { table, userId, now }: { table: string; userId: string; now: Date },
): SqlFragment => tx`
  (select ${keyOf(tx, model)} as key, to_jsonb(t) - ${Object.keys(model.leftOut)}::text[] as row from ${tx(table)} t
  where user_id = ${userId} ${model.stays ? tx`and ${model.stays(tx, now)}` : tx``})`

interface Difference {
  table: string
  key: string[]
  kept: object | null
  told: object | null
  /** How many more rows of the table differ. */
  others: number
}

/** The first row of each table that differs. */
async function firstDifferences(
  tx: Transaction,
  models: readonly ReadModel[],
  userId: string,
  now: Date,
): Promise<Difference[]> {
  const ofEach = models.map((model, at) => {
    const { table } = model
    return tx`${at === 0 ? tx`` : tx`union all`}
      (select ${table}::text as table, key, k.row as kept, r.row as told, count(*) over () - 1 as others
      from ${rowsIn(tx, model, { table, userId, now })} k
      full join ${rowsIn(tx, model, { table: replayed(table), userId, now })} r using (key)
      where k.row is distinct from r.row order by key limit 1)`
  })
  return await tx<Difference[]>`${ofEach}`
}

async function describe(
  tx: Transaction,
  userId: string,
  { table, key, kept, told, others }: Difference,
): Promise<string> {
  const [last] = await tx<{ seq: number; id: string }[]>`
    select seq, id from events where user_id = ${userId} and data::text like ${`%${key[0] ?? userId}%`}
    order by seq desc limit 1`
  const rest = others > 0 ? `, and ${others} more rows` : ''
  const event = last ? `; the last event of it is ${last.seq} (${last.id})` : ''
  return `${table} ${key.join(' ')} ${differenceOf(kept, told)}${rest}${event}`
}

function differenceOf(kept: object | null, told: object | null): string {
  if (!kept) return 'is missing'
  if (!told) return 'is in no event'
  const [of, by] = [kept, told] as Record<string, unknown>[]
  const names = Object.keys(by!).filter((name) => JSON.stringify(of![name]) !== JSON.stringify(by![name]))
  const [name = ''] = names
  return `has in ${names.join(', ')} ${JSON.stringify(of![name])}, and the events say ${JSON.stringify(by![name])}`
}

/** Removes what no event tells of, changes what differs, adds what is missing. What events do not tell stays as it is. */
async function applyRows(tx: Transaction, model: ReadModel, userId: string, now: Date): Promise<number> {
  const { table, leftOut, key } = model
  const columns = await columnsOf(tx, table)
  const told = columns.filter((name) => !(name in leftOut) && !key.includes(name) && name !== 'user_id')
  const isSame = tx`${[...key, 'user_id'].map((name, at) => (at === 0 ? tx`r.${tx(name)} = t.${tx(name)}` : tx`and r.${tx(name)} = t.${tx(name)}`))}`
  const source = tx(replayed(table))
  const stays = model.stays ? tx`and ${model.stays(tx, now)}` : tx``
  const removed = await tx`
    delete from ${tx(table)} t where user_id = ${userId} ${stays} and not exists (select from ${source} r where ${isSame})`
  const changed = await tx`
    update ${tx(table)} t set ${told.map((name, at) => (at === 0 ? tx`${tx(name)} = r.${tx(name)}` : tx`, ${tx(name)} = r.${tx(name)}`))}
    from ${source} r where t.user_id = ${userId} and ${isSame}
      and to_jsonb(t) - ${Object.keys(leftOut)}::text[] is distinct from to_jsonb(r) - ${Object.keys(leftOut)}::text[]`
  const added = await tx`
    insert into ${tx(table)} (${tx(columns)})
    select ${tx(columns)} from ${source} t where user_id = ${userId} ${stays}
      and not exists (select from ${tx(table)} r where ${isSame})`
  return removed.count + changed.count + added.count
}
