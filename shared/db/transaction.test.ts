import { describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../testing/worlds/database.ts'
import { inTransaction } from './transaction.ts'
import type { Sql, Transaction } from './connect.ts'

const sql = await testDatabase({ max: 2 })
const killer = await testDatabase({ max: 1 })
await sql`create table notes (text text primary key)`

const pidOf = async (tx: Transaction) => {
  const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`
  return row!.pid
}
const kill = (pid: number) => killer`select pg_terminate_backend(${pid}, 5000)`
const notes = async (from: Sql = sql) =>
  (await from`select text from notes order by text`).map((row) => row['text'] as string)

/** Not even the first statement after the loss is told of it. */
async function isUsable(): Promise<void> {
  for (let time = 0; time < 5; time += 1) expect(await notes()).toEqual(['kept'])
}

describe('inTransaction', () => {
  it('commits what the body did when it resolves, and nothing of it when it throws', async () => {
    await inTransaction(sql, (tx) => tx`insert into notes values ('kept')`)
    const failing = inTransaction(sql, async (tx) => {
      await tx`insert into notes values ('gone')`
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await notes()).toEqual(['kept'])
  })

  it('goes on after a savepoint whose work failed', async () => {
    await inTransaction(sql, async (tx) => {
      const twice = tx.savepoint((inner) => inner`insert into notes values ('kept')`)
      await expect(twice).rejects.toMatchObject({ code: '23505' })
      await tx`insert into notes values ('new')`
    })
    expect(await notes()).toEqual(['kept', 'new'])
    await sql`delete from notes where text = 'new'`
  })

  it('rejects with an error of a statement and can be used again', async () => {
    const twice = inTransaction(sql, (tx) => tx`insert into notes values ('kept')`)
    await expect(twice).rejects.toMatchObject({ code: '23505' })
    expect(await notes()).toEqual(['kept'])
  })

  it.each<[string, (tx: Transaction) => Promise<unknown>]>([
    ['before its next statement', (tx) => tx`insert into notes values ('too late')`],
    ['before it throws', () => Promise.reject(new Error('something else'))],
    ['before it commits', () => Promise.resolve()],
    ['before a savepoint', (tx) => tx.savepoint((inner) => inner`insert into notes values ('too late')`)],
  ])('rejects when the connection is lost %s, and the process lives on', async (_, next) => {
    let isOver = false
    const lost = inTransaction(sql, async (tx) => {
      await tx`insert into notes values ('lost')`
      await kill(await pidOf(tx))
      await vi.waitFor(() => expect(isOver).toBe(true))
      await next(tx)
    }).finally(() => (isOver = true))
    await expect(lost).rejects.toMatchObject({
      code: expect.stringMatching(/CONNECTION_CLOSED|57P01/) as string,
    })
    await isUsable()
  })

  it.each<[string, (tx: Transaction, work: (inner: Transaction) => Promise<void>) => Promise<unknown>]>([
    ['a statement', (tx, work) => work(tx)],
    ['a statement after a savepoint', (tx, work) => tx.savepoint(work)],
  ])('rejects when the connection is lost during %s, and the process lives on', async (_, within) => {
    const lost = inTransaction(sql, (tx) =>
      within(tx, async (inner) => {
        await inner`insert into notes values ('lost')`
        const pid = await pidOf(inner)
        const sleeping = inner`select pg_sleep(10)`.execute()
        await kill(pid)
        await sleeping
      }),
    )
    await expect(lost).rejects.toMatchObject({
      code: expect.stringMatching(/CONNECTION_CLOSED|57P01/) as string,
    })
    await isUsable()
  })
})
