import { describe, expect, it, vi } from 'vitest'
import { aChange } from '../../testing/builders/a-task.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import type { EventStream } from '../../testing/worlds/event-stream.ts'
import { startReplica, type Replica } from '../../testing/worlds/replica.ts'
import { revoked } from '../../shared/domain/auth/identity-session.ts'

const sql = await testDatabase({ max: 20 })
const until = (condition: () => unknown) => vi.waitFor(() => expect(condition()).toBe(true), 10_000)

const path = '/api/changes/stream'
const seen = (stream: EventStream) =>
  stream.messages.flatMap(({ event, data }) =>
    event === 'change' ? [Number((JSON.parse(data) as { sequence: string }).sequence)] : [],
  )
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, n) => from + n)
const write = (replica: Replica, userId: string) => replica.deps.changes.commit(aChange(userId))

describe('the stream of changes', () => {
  it('tells what happened and what happens, each under its cursor, which GET /api/changes goes on from', async () => {
    const replica = await startReplica(sql)
    const [person, other] = [await replica.newListener(), await replica.newListener()]
    await write(replica, person.id)
    await write(replica, other.id)
    const stream = await replica.listen(person, { path })
    await until(() => seen(stream).length === 1)
    await write(replica, person.id)
    await until(() => seen(stream).length === 2)
    expect(seen(stream)).toEqual([1, 2])
    expect(stream.messages.map(({ event }) => event)).toEqual(['connected', 'change', 'change'])
    const after = async (id: string) => {
      const { text } = await replica.ask('GET', `/api/changes?since=${id}`, { token: person.token })
      return (JSON.parse(text) as { items: { sequence: string }[] }).items.map(({ sequence }) =>
        Number(sequence),
      )
    }
    expect(await after(stream.messages[0]!.id)).toEqual([1, 2])
    expect(await after(stream.messages[1]!.id)).toEqual([2])
    expect(await after(stream.messages[2]!.id)).toEqual([])
  })

  it('goes on elsewhere and after a restart, without gap or repetition, while others write', async () => {
    const replicas = [await startReplica(sql), await startReplica(sql)]
    const person = await replicas[0]!.newListener()
    const writing = Promise.all(upTo(200).map((n) => write(replicas[n % 2]!, person.id)))
    const got: number[] = []
    let last = ''
    for (let visit = 0; got.length < 200; visit += 1) {
      const stream = await replicas[visit % 2]!.listen(person, {
        path,
        headers: last === '' ? {} : { 'last-event-id': last },
      })
      await until(() => seen(stream).length >= Math.min(1 + ((visit * 7) % 40), 200 - got.length))
      stream.close()
      got.push(...seen(stream))
      last = stream.messages.at(-1)!.id
    }
    await writing
    expect(got).toEqual(upTo(200))
  })

  it('opens with a ticket, and goes on by the query', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    await write(replica, person.id)
    const first = await replica.listen(person, { path, query: `?ticket=${await replica.ticketFor(person)}` })
    await until(() => seen(first).length === 1)
    const { id } = first.messages.at(-1)!
    await write(replica, person.id)
    const query = `?ticket=${await replica.ticketFor(person)}&last_event_id=${id}`
    const second = await replica.listen(person, { path, query })
    await until(() => seen(second).length === 1)
    expect(seen(second)).toEqual([2])
  })

  it.each(['removed', 'of another history'])(
    'answers 410 to a cursor that is %s, and ends where it becomes one',
    async (what) => {
      const replica = await startReplica(sql)
      const person = await replica.newListener()
      await write(replica, person.id)
      const stream = await replica.listen(person, { path })
      await until(() => seen(stream).length === 1)
      if (what === 'removed') {
        // As a client that was too slow finds it: what it is to be told is not kept any more.
        await sql`update user_counters set last_seq = 9 where user_id = ${person.id}`
        await sql`delete from events where user_id = ${person.id}`
      } else await sql`update history set id = gen_random_uuid()`
      await stream.ended
      const headers = { 'last-event-id': stream.messages.at(-1)!.id }
      const got = await replica.ask('GET', path, { token: person.token, headers })
      expect([got.status, JSON.parse(got.text)]).toMatchObject([410, { code: 'changes.cursor_gone' }])
      expect(seen(stream)).toEqual([1])
    },
  )

  it('reads once for news, and waits for the turn of its user', async () => {
    const replica = await startReplica(sql, { env: { DATABASE_POOL: '8' } })
    const person = await replica.newListener()
    const news: (() => void)[] = []
    vi.spyOn(replica.deps.changeSignal, 'subscribe').mockImplementation((_, onNews) => {
      news.push(onNews)
      return () => {}
    })
    const streams = await Promise.all([1, 2, 3, 4, 5].map(() => replica.listen(person, { path })))
    await until(() => news.length === 5)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await write(replica, person.id)
    const [after, running] = [replica.deps.changeLog.after, { now: 0, most: 0 }]
    const asked = vi.spyOn(replica.deps.changeLog, 'after').mockImplementation(async (...given) => {
      running.most = Math.max(running.most, (running.now += 1))
      await new Promise((resolve) => setTimeout(resolve, 20))
      return await after(...given).finally(() => (running.now -= 1))
    })
    for (const tell of news) tell()
    await until(() => streams.every((stream) => seen(stream).length === 1))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect([asked.mock.calls.length, running.most]).toEqual([5, 2])
  })

  it('ends with its session', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const stream = await replica.listen(person, { path })
    await until(() => stream.messages.length === 1)
    const at = new Date()
    const changedSession = revoked(person.session, at)
    await replica.deps.identity.store.commit({ userId: person.id, at, changedSession, events: [] })
    await stream.ended
    await write(replica, person.id)
    expect(seen(stream)).toEqual([])
  })

  it('refuses what is no cursor', async () => {
    const replica = await startReplica(sql)
    const { token } = await replica.newListener()
    for (const id of ['x', '-1', 'é', '_'.repeat(54)]) {
      const got = await replica.ask('GET', `${path}?last_event_id=${encodeURIComponent(id)}`, { token })
      expect([id, got.status]).toEqual([id, 422])
    }
  })
})
