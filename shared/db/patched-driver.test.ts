import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { connect, type Sql, type Transaction } from './connect.ts'
import { checkDriver } from './patched-driver.ts'
import { inTransaction } from './transaction.ts'

const target = await testDatabaseTarget()

const pools: Sql[] = []
afterAll(() => Promise.all(pools.map((sql) => sql.end({ timeout: 1 }))))

function pool(max: number): Sql {
  const sql = connect(target, { max, applicationName: `test-${randomUUID()}` })
  pools.push(sql)
  return sql
}

/** Sends three rows, then fails. */
const failing = (sql: Sql | Transaction) => sql`select g, 10 / (g - 4) from generate_series(1, 10) g`
const BY_ZERO = '22012'
const inSavepoint = (sql: Sql) =>
  inTransaction(sql, async (tx) => {
    await tx.savepoint((inner) => failing(inner)).catch(() => {})
    throw new Error('then rolled back')
  })
/** The code or the message of what it is rejected with. */
const refusal = (asked: Promise<unknown>): Promise<string | undefined> =>
  asked.then(
    () => undefined,
    (error: Error & { code?: string }) => error.code ?? error.message,
  )
const mine = async (sql: Sql) => expect([...(await sql`select 'mine' as v`)]).toEqual([{ v: 'mine' }])
const sessionOf = async (sql: Sql) => (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid

const admin = pool(1)
const waiting = (name: string, text: string) => admin<{ pid: number }[]>`
  select pid from pg_stat_activity
  where application_name = ${name} and query like ${`%${text}%`} and wait_event is not null`
await waiting('nobody', 'nothing')

/** Waits until the session of a pool of one waits within this statement, and has the server cancel or end it. */
async function strike(sql: Sql, how: 'terminate' | 'cancel', text: string): Promise<void> {
  const name = String(sql.options.connection.application_name)
  await vi.waitFor(async () => {
    const [session] = await waiting(name, text)
    await (how === 'cancel'
      ? admin`select pg_cancel_backend(${session!.pid})`
      : admin`select pg_terminate_backend(${session!.pid})`)
  })
}

describe('a statement that fails after rows have come', () => {
  const limited = `set statement_timeout = 100;
    select repeat('x', 9000), pg_sleep(0.01) from generate_series(1, 500)`
  const lastOfSeveral = 'select 1; select 1 / (3 - g) from generate_series(1, 5) g'
  const throwing = () => {
    throw new Error('enough')
  }

  it.each<[string, (sql: Sql) => Promise<unknown>, string]>([
    ['by an error in a row', failing, BY_ZERO],
    ['after others in one text', (sql) => sql.unsafe(lastOfSeveral), BY_ZERO],
    ['by its time limit', (sql) => sql.unsafe(limited), '57014'],
    ['while it is read by a cursor', (sql) => failing(sql).cursor(2, () => {}), BY_ZERO],
    ['because the reader of its cursor does', (sql) => sql`select 1`.cursor(1, throwing), 'enough'],
    ['in a transaction', (sql) => inTransaction(sql, (tx) => failing(tx)), BY_ZERO],
    ['in a savepoint', inSavepoint, 'then rolled back'],
  ])('leaves the next answer alone: %s', async (_, fail, code) => {
    const sql = pool(1)
    expect(await refusal(fail(sql))).toBe(code)
    await mine(sql)
    await mine(sql)
  })

  it('is the last one of its connection', async () => {
    const sql = pool(1)
    const first = await sessionOf(sql)
    expect(await refusal(sql`select 1 / 0`)).toBe(BY_ZERO)
    expect(await sessionOf(sql)).toBe(first)
    await refusal(failing(sql))
    const second = await sessionOf(sql)
    expect(second).not.toBe(first)
    await refusal(inSavepoint(sql))
    expect(await sessionOf(sql)).not.toBe(second)
  })

  it.each([
    ['cancel', '57014'],
    ['terminate', 'CONNECTION_CLOSED'],
  ] as const)('leaves nothing behind when the server was told to %s it', async (how, code) => {
    const sql = pool(1)
    const slow = refusal(sql`select repeat('x', 9000), pg_sleep(0.02) from generate_series(1, 1000)`)
    await strike(sql, how, '9000')
    expect(await slow).toBe(code)
    await mine(sql)
    await mine(sql)
  })
})

describe('a connection', () => {
  it('tells nobody of the end of the session before', async () => {
    const sql = pool(1)
    const slow = refusal(sql`select pg_sleep(20)`)
    await strike(sql, 'terminate', 'pg_sleep')
    expect(await slow).toBe('CONNECTION_CLOSED')
    await mine(sql)
  })

  it('keeps no statement waiting behind a slow one of somebody else', async () => {
    const sql = pool(2)
    await Promise.all([mine(sql), mine(sql)])
    let isAsleep = true
    const slow = sql`select pg_sleep(20)`.execute().catch(() => (isAsleep = false))
    await Promise.all(Array.from({ length: 20 }, () => mine(sql)))
    expect(isAsleep).toBe(true)
    await strike(sql, 'cancel', 'pg_sleep')
    await slow
  })

  it('keeps what it acknowledged after a transaction was begun while every connection was busy', async () => {
    const sql = pool(2)
    await sql`create table acknowledged (n int)`
    const busy = Array.from({ length: 4 }, () => sql`select pg_sleep(0.1)`.execute())
    expect(await inTransaction(sql, async (tx) => [...(await tx`select 'mine' as v`)])).toEqual([
      { v: 'mine' },
    ])
    await Promise.all(busy)
    await Promise.all([1, 2, 3, 4].map((n) => sql`insert into acknowledged values (${n})`))
    expect(
      [...(await admin`select n from acknowledged order by n`)].map((row) => row['n'] as number),
    ).toEqual([1, 2, 3, 4])
  })

  it('gives each its own answer when the parameter of one cannot be written', async () => {
    const sql = pool(1)
    const at = async (time: number) => {
      const [row] = await sql<{ at: Date }[]>`select ${new Date(time)}::timestamptz as at`
      return row!.at.getTime()
    }
    expect(await at(0)).toBe(0)
    const asked = await Promise.allSettled([at(1), at(Number.NaN), at(3), at(4)])
    expect(asked.map((one) => (one.status === 'fulfilled' ? one.value : 'refused'))).toEqual([
      1,
      'refused',
      3,
      4,
    ])
  })

  it('writes a parameter once, also when a prepared statement has to be prepared again', async () => {
    const sql = pool(1)
    const kindOf = async () =>
      (await sql`select jsonb_typeof(${sql.json({ a: 1 })}::jsonb) as kind`)[0]!['kind'] as string
    expect(await kindOf()).toBe('object')
    await sql`deallocate all`.simple()
    expect(await kindOf()).toBe('object')
  })

  it('is given up, and the process lives on, when the first statement of its session fails', async () => {
    const blocker = pool(1)
    const sql = pool(1)
    await inTransaction(blocker, async (tx) => {
      await tx`lock table pg_type in access exclusive mode`
      const asked = refusal(sql`select 'mine' as v`)
      await strike(sql, 'cancel', 'pg_type')
      expect(await asked).toBe('57014')
    })
    await mine(sql)
    expect([...(await sql`select array['a', 'b'] as list`)]).toEqual([{ list: ['a', 'b'] }])
  })
})

it('is refused when its text is another than the one tested here', () => {
  expect(() => checkDriver(Buffer.from('as it comes from the registry'))).toThrow(
    /refused to connect.*npm ci/,
  )
})
