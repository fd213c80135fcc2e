import { describe, expect, it } from 'vitest'
import { prepare, retrySafety, send, writes } from '../../testing/contracts/retry-safety.contract.ts'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, sql } = service

retrySafety(async () => newUser(), { hasConsumers: false })

/** Statements that wait for a lock. */
async function waiting(): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  return row!.count
}

describe('Idempotency-Key in the database', () => {
  it.each(writes)('%s gives a retry the first answer also when the world has moved on', async (_, write) => {
    const user = newUser()
    const { task, version } = await prepare(user, write)
    const headers = { 'idempotency-key': 'k-1', ...(write.takesIfMatch && { 'if-match': `"${version}"` }) }
    const first = await send(user, write, task, headers)
    await service.deliver()
    for (const { id } of await sql<{ id: string }[]>`
      select id from tasks where user_id = ${user.id} and deleted_at is null`) {
      // Those below another are gone with it.
      await user.send('DELETE', `/api/tasks/${id}`)
    }
    const again = await send(user, write, task, headers)
    expect([again.status, again.body]).toEqual([first.status, first.body])
  })

  it.each(writes)(
    '%s answers 409 with Retry-After while the first attempt is still running',
    async (_, write) => {
      const user = newUser()
      const { task } = await prepare(user, write)
      const key = { 'idempotency-key': 'k-1' }
      const hold = await sql.reserve()
      await hold`begin`
      await hold`select 1 from user_counters where user_id = ${user.id} for update`
      const first = send(user, write, task, key)
      try {
        await expect.poll(waiting, { timeout: 10_000 }).toBe(1)
        const second = await send(user, write, task, key)
        expect(second).toMatchObject({ status: 409, problem: { code: 'idempotency.in_flight' } })
        expect(second.headers.get('retry-after')).toBe('1')
      } finally {
        await hold`commit`
        hold.release()
      }
      expect((await first).status).toBeLessThan(300)
      expect((await send(user, write, task, key)).headers.get('idempotency-replayed')).toBe('true')
    },
  )

  it('keeps an answer for 24 hours', async () => {
    const user = newUser()
    const key = { 'idempotency-key': 'k-1' }
    service.at('2026-03-02T08:00:00.000Z')
    const first = await user.does('POST', '/api/tasks', { title: 'Buy milk' }, key)
    service.at('2026-03-03T07:59:59.999Z')
    expect(await user.does('POST', '/api/tasks', { title: 'Buy milk' }, key)).toEqual(first)
    service.at('2026-03-03T08:00:00.000Z')
    const second = await user.does('POST', '/api/tasks', { title: 'Buy tea' }, key)
    expect(second.title).toBe('Buy tea')
    expect(await user.does('POST', '/api/tasks', { title: 'Buy tea' }, key)).toEqual(second)
  })

  it('stands or falls with the effect: what is not committed leaves no answer', async () => {
    const user = newUser()
    const task = await user.create()
    const key = { 'idempotency-key': 'k-1' }
    // The database goes away in the middle of the statement that holds effect, event and answer.
    await sql`create function fail() returns trigger language plpgsql as $$ begin
      raise exception 'gone' using errcode = '57P01'; end $$`
    await sql`create trigger fail before insert on idempotency_keys execute function fail()`
    try {
      const got = await user.send('POST', `/api/tasks/${task.id}/complete`, undefined, key)
      expect(got).toMatchObject({ status: 503, problem: { code: 'service.unavailable' } })
    } finally {
      await sql`drop trigger fail on idempotency_keys`
      await sql`drop function fail`
    }
    expect(await user.events()).toHaveLength(1)
    const again = await user.send('POST', `/api/tasks/${task.id}/complete`, undefined, key)
    expect(again.headers.get('idempotency-replayed')).toBeNull()
    expect(again).toMatchObject({ status: 200, task: { version: 2 } })
  })
})
