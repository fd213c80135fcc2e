import { expect, it, onTestFinished } from 'vitest'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { woundedDriver } from '../../testing/worlds/wounded-driver.ts'
import { connect, type Sql } from './connect.ts'
import { isWhole, refuseTornResults } from './whole-results.ts'

const target = await testDatabaseTarget()

/** A pool of one on the driver as it was before its patch, and a statement has just failed after three rows. */
async function afterFailure(isGuarded: boolean): Promise<Sql> {
  const postgres = await woundedDriver()
  const sql = postgres({ ...target, max: 1, onnotice: () => {} }) as unknown as Sql
  onTestFinished(() => sql.end({ timeout: 1 }))
  if (isGuarded) refuseTornResults(sql)
  await expect(sql`select g, 10 / (g - 4) from generate_series(1, 10) g`).rejects.toThrow('division by zero')
  return sql
}

it('without its patch and without the guard the driver answers with holes', async () => {
  const sql = await afterFailure(false)
  const rows = await sql`select 'mine' as v`
  expect([rows.length, rows.count, rows[0]]).toEqual([4, 1, undefined])
})

it.each<[string, (sql: Sql) => Promise<unknown>]>([
  ['a statement', (sql) => sql`select 'mine' as v`],
  ['its values', (sql) => sql`select 'mine' as v`.values()],
  ['a text', (sql) => sql.unsafe('select 1 as v')],
  ['several in one text', (sql) => sql.unsafe('select 1 as v; select 2 as v')],
  ['a write', (sql) => sql`with gone as (select 1 as v) select * from gone`],
  ['what the server does not count', (sql) => sql`show server_version`],
])('with the guard alone nobody gets them: %s', async (_, ask) => {
  const sql = await afterFailure(true)
  await expect(ask(sql)).rejects.toMatchObject({ code: 'database.torn_result' })
})

it('lets everything through that is whole', async () => {
  const sql = connect(target, { max: 1, applicationName: 'test' })
  onTestFinished(() => sql.end({ timeout: 1 }))
  const counts = async (text: string) => {
    const result = (await sql.unsafe(text)) as unknown as { length: number; count: number | null }
    return [result.length, result.count]
  }
  await sql`create temp table notes (text text)`
  expect(await counts("insert into notes values ('a'), ('b')")).toEqual([0, 2])
  expect(await counts("insert into notes values ('c') returning text")).toEqual([1, 1])
  expect(await counts('select * from notes')).toEqual([3, 3])
  expect(await counts('create temp table copies as select * from notes')).toEqual([0, 3])
  expect(await counts('explain select 1')).toEqual([1, null])
  expect(await counts('delete from notes')).toEqual([0, 3])
  expect(await counts('select * from notes')).toEqual([0, 0])
  expect(await sql.unsafe('select 1 as v; delete from copies; select 2 as v, 3 as w')).toHaveLength(2)
})

it('knows fewer rows than were counted, and more', () => {
  const rows = (count: number | null, ...list: string[]) => Object.assign(list, { count, columns: ['v'] })
  expect([rows(2, 'a', 'b'), rows(null, 'a'), rows(0)].map(isWhole)).toEqual([true, true, true])
  expect([rows(2, 'a'), rows(1, 'a', 'b'), rows(2)].map(isWhole)).toEqual([false, false, false])
})
