import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { announce } from '../../testing/worlds/announce.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import type { EventStream, StreamMessage } from '../../testing/worlds/event-stream.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { revoked } from '../../shared/domain/auth/identity-session.ts'
import { FULL_SCOPE } from '../../shared/domain/auth/identity.ts'
import { readAllNotifications, readNotification } from '../../shared/app/notifications/read-notifications.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import { startReplica } from '../../testing/worlds/replica.ts'

const sql = await testDatabase({ max: 20 })

const named = (stream: EventStream, ...events: string[]) =>
  stream.messages.filter(({ event }) => events.includes(event))
const data = ({ data: text }: StreamMessage) => JSON.parse(text) as Record<string, unknown>
const titles = (stream: EventStream) =>
  named(stream, 'reminder', 'notification').map((one) => data(one).title)

const until = (condition: () => unknown) =>
  vi.waitFor(async () => expect(await condition()).toBe(true), 10_000)
const untilTitles = (stream: EventStream, count: number) => until(() => titles(stream).length >= count)

describe('the stream of notifications', () => {
  it('begins now, names its place, and tells what comes by its kind', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    await announce(replica.deps.changes, person.id, { title: 'Before' })
    const stream = await replica.listen(person)
    await until(() => named(stream, 'connected').length === 1)
    const id = await announce(replica.deps.changes, person.id, { title: 'Rent' })
    await announce(replica.deps.changes, person.id, { title: 'Digest', type: 'daily_digest' })
    await untilTitles(stream, 2)

    const [connected, ...others] = stream.messages
    expect(data(connected!)).toEqual({ resumed_from: null, server_time: expect.stringMatching(/Z$/) })
    expect(connected!.id).toMatch(/^\d+$/)
    expect(others.map(({ event }) => event)).toEqual(['reminder', 'notification'])
    expect(data(others[0]!)).toMatchObject({
      id,
      type: 'reminder',
      title: 'Rent',
      read_at: null,
      late: false,
    })
    expect(Number(others[1]!.id)).toBeGreaterThan(Number(others[0]!.id))
  })

  it('is never kept and never held back on its way', async () => {
    const replica = await startReplica(sql)
    const { token } = await replica.newListener()
    const answer = await fetch(`${replica.url}/api/notifications/stream`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    await answer.body!.cancel()
  })

  it('tells every device at once what was read on one, and who comes back what was read meanwhile', async () => {
    const [phone, laptop] = [await startReplica(sql), await startReplica(sql)]
    const person = await phone.newListener()
    const stream = await laptop.listen(person)
    const ids: string[] = []
    for (const title of ['1', '2', '3']) ids.push(await announce(phone.deps.changes, person.id, { title }))
    await untilTitles(stream, 3)
    const write = {
      actor: {
        userId: person.id,
        view: { type: 'user', id: person.id } as const,
        timeZone: 'UTC',
        scopes: [FULL_SCOPE],
      },
      client: { address: null, agent: null },
      now: systemClock.now(),
      trace: null,
      ifMatch: null,
      ifNoneMatch: [],
      idempotency: null,
    }
    await readNotification(phone.deps, write, ids[1]!)
    await readNotification(phone.deps, write, ids[1]!)
    await until(() => named(stream, 'read').length === 1)
    expect(data(named(stream, 'read')[0]!)).toEqual({ notification_ids: [ids[1]], unread: 2 })
    const last = stream.messages.at(-1)!.id
    await laptop.close()
    await stream.ended

    expect(await readAllNotifications(phone.deps, write)).toEqual({ read: 2, unread: 0 })
    await announce(phone.deps.changes, person.id, { title: '4' })
    const again = await phone.listen(person, { headers: { 'last-event-id': last } })
    await untilTitles(again, 1)
    const [, read, shown] = again.messages
    expect(read!.event).toBe('read')
    expect(data(read!)).toEqual({ notification_ids: [ids[0], ids[2]], unread: 1 })
    expect(Number(shown!.id)).toBeGreaterThan(Number(read!.id))
    expect(titles(again)).toEqual(['4'])
  })

  it("tells nobody of another user's notifications", async () => {
    const replica = await startReplica(sql)
    const [one, other] = [await replica.newListener(), await replica.newListener()]
    const stream = await replica.listen(one)
    await announce(replica.deps.changes, other.id, { title: 'Not yours' })
    await announce(replica.deps.changes, one.id, { title: 'Yours' })
    await untilTitles(stream, 1)
    expect(titles(stream)).toEqual(['Yours'])
  })

  it('goes on after the last event at another replica, and after a restart, without gap or repetition', async () => {
    const first = await startReplica(sql)
    const second = await startReplica(sql)
    const person = await first.newListener()
    const stream = await first.listen(person)
    await announce(second.deps.changes, person.id, { title: '1' })
    await untilTitles(stream, 1)
    await first.close()
    await stream.ended
    for (const title of ['2', '3']) await announce(second.deps.changes, person.id, { title })

    const headers = { 'last-event-id': stream.messages.at(-1)!.id }
    const third = await startReplica(sql)
    for (const replica of [second, third]) {
      const resumed = await replica.listen(person, { headers })
      await untilTitles(resumed, 2)
      expect(data(resumed.messages[0]!).resumed_from).toBe(Number(headers['last-event-id']))
      expect(titles(resumed)).toEqual(['2', '3'])
    }
  })

  it('misses nothing of a connection that broke before the first notification', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const stream = await replica.listen(person)
    await until(() => stream.messages.length === 1)
    stream.close()
    await announce(replica.deps.changes, person.id, { title: 'Meanwhile' })
    const resumed = await replica.listen(person, { query: `?last_event_id=${stream.messages[0]!.id}` })
    await untilTitles(resumed, 1)
    expect(titles(resumed)).toEqual(['Meanwhile'])
  })

  it('believes the header rather than what the URL was opened with', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    for (const title of ['1', '2']) await announce(replica.deps.changes, person.id, { title })
    const all = await replica.listen(person, { query: '?last_event_id=0' })
    await untilTitles(all, 2)
    const headers = { 'last-event-id': named(all, 'reminder')[0]!.id }
    const stream = await replica.listen(person, { query: '?last_event_id=0', headers })
    await untilTitles(stream, 1)
    expect(titles(stream)).toEqual(['2'])
  })

  it('begins now, and says so, when the client was ahead of all that happened', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const stream = await replica.listen(person, { headers: { 'last-event-id': '999999999' } })
    await until(() => stream.messages.length === 1)
    expect(data(stream.messages[0]!).resumed_from).toBeNull()
    await announce(replica.deps.changes, person.id, { title: 'Now' })
    await untilTitles(stream, 1)
  })

  it('refuses what is no number as the last event', async () => {
    const replica = await startReplica(sql)
    const { token } = await replica.newListener()
    const path = '/api/notifications/stream'
    for (const id of ['x', '-1', '1.5', '9'.repeat(16), '1,2']) {
      const inQuery = await replica.ask('GET', `${path}?last_event_id=${encodeURIComponent(id)}`, { token })
      const inHeader = await replica.ask('GET', path, { token, headers: { 'last-event-id': id } })
      for (const { status, text } of [inQuery, inHeader]) {
        expect([id, status, JSON.parse(text)]).toMatchObject([id, 422, { code: 'request.invalid' }])
      }
    }
  })

  it('leaves a ticket usable when it is only looked at, or when there is something else to refuse', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const path = `/api/notifications/stream?ticket=${await replica.ticketFor(person)}`
    const head = await replica.ask('HEAD', path)
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect((await replica.ask('HEAD', path, { token: person.token })).status).toBe(200)
    expect((await replica.ask('GET', `${path}&last_event_id=x`)).status).toBe(422)
    expect((await replica.ask('GET', `${path}&lastEventId=1`)).status).toBe(422)
    expect((await replica.ask('GET', path, { headers: { 'last-event-id': 'x' } })).status).toBe(422)
    expect((await replica.ask('GET', `${path}&ticket=x`)).status).toBe(422)
    // None of these left a stream behind, which would count among the ten that a user has.
    expect(replica.deps.streams.count()).toBe(0)
    expect((await replica.ask('GET', path)).text).toContain('event: connected')
    expect((await replica.ask('HEAD', path)).status).toBe(401)
    expect((await replica.ask('GET', path)).status).toBe(401)
  })

  it('opens with a ticket once, and with nothing else in its place', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const query = `?ticket=${await replica.ticketFor(person)}`
    const stream = await replica.listen(person, { query })
    await announce(replica.deps.changes, person.id)
    await untilTitles(stream, 1)
    const path = '/api/notifications/stream'
    for (const refused of [path + query, `${path}?ticket=${person.token}`, `${path}?ticket=`]) {
      const got = await replica.ask('GET', refused)
      expect([got.status, JSON.parse(got.text)]).toMatchObject([401, { code: 'auth.invalid_token' }])
    }
    const token = await replica.ask('GET', `${path}?access_token=${person.token}`)
    expect([token.status, JSON.parse(token.text)]).toMatchObject([
      401,
      { code: 'auth.required', detail: expect.stringContaining('?ticket=') },
    ])
    // A ticket that was not needed can still be used.
    const spare = `?ticket=${await replica.ticketFor(person)}`
    const both = await replica.listen(person, {
      query: spare,
      headers: { authorization: `Bearer ${person.token}` },
    })
    both.close()
    await replica.listen(person, { query: spare })
  })

  it(
    'has nothing running and no connection of its own while nobody listens, however often they came and went',
    { timeout: 60_000 },
    async () => {
      const replica = await startReplica(sql)
      const people = await Promise.all(Array.from({ length: 4 }, () => replica.newListener()))
      const listening = async () =>
        (
          await sql`select 1 from pg_stat_activity where datname = current_database()
            and query ilike 'listen "daybook_changes"'`
        ).length
      for (let round = 0; round < 10; round += 1) {
        const streams = await Promise.all(people.map((person) => replica.listen(person)))
        await until(() => streams.every(({ messages }) => messages.length === 1))
        for (const stream of streams) stream.close()
        await Promise.all(streams.map(({ ended }) => ended))
      }
      await until(async () => (await listening()) === 0)
      expect(replica.deps.streams.count()).toBe(0)
      const last = await replica.listen(people[0]!)
      await until(async () => (await listening()) === 1)
      last.close()
      await until(async () => (await listening()) === 0)
    },
  )

  it('ends the oldest of more than ten streams of a user', async () => {
    const replica = await startReplica(sql)
    const [person, other] = [await replica.newListener(), await replica.newListener()]
    const bystander = await replica.listen(other)
    const streams: EventStream[] = []
    for (let n = 0; n < 12; n += 1) streams.push(await replica.listen(person))
    await Promise.all(streams.slice(0, 2).map(({ ended }) => ended))
    await announce(replica.deps.changes, person.id)
    await announce(replica.deps.changes, other.id)
    await Promise.all([...streams.slice(2), bystander].map((stream) => untilTitles(stream, 1)))
    expect(replica.deps.streams.count()).toBe(11)
  })

  it('answers HEAD without opening anything', async () => {
    const replica = await startReplica(sql)
    const { token } = await replica.newListener()
    const got = await replica.ask('HEAD', '/api/notifications/stream', { token })
    expect([got.status, got.headers.get('content-type'), got.text]).toEqual([200, 'text/event-stream', ''])
    expect(replica.deps.streams.count()).toBe(0)
  })

  it('ends open streams at once when the process is told to end, and the process ends', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const streams = await Promise.all(Array.from({ length: 5 }, () => replica.listen(person)))
    await until(() => streams.every(({ messages }) => messages.length === 1))
    const startedAt = performance.now()
    await replica.close()
    expect(performance.now() - startedAt).toBeLessThan(2000)
    await Promise.all(streams.map(({ ended }) => ended))
  })

  it('ends with its session, whichever process ends that, and is opened by nothing that is left of it', async () => {
    const [replica, other] = [await startReplica(sql), await startReplica(sql)]
    const person = await replica.newListener()
    const elsewhere = await replica.newListener(person.id)
    const query = `?ticket=${await replica.ticketFor(person)}`
    const streams = await Promise.all([
      replica.listen(person),
      other.listen(person),
      other.listen(person, { query }),
    ])
    const stays = await other.listen(elsewhere)
    await until(() => [...streams, stays].every(({ messages }) => messages.length === 1))
    const ticket = await replica.ticketFor(person)

    const at = systemClock.now()
    const changedSession = revoked(person.session, at)
    await replica.deps.identity.store.commit({ userId: person.id, at, changedSession, events: [] })
    await Promise.all(streams.map(({ ended }) => ended))

    await announce(replica.deps.changes, person.id, { title: 'Secret' })
    await untilTitles(stays, 1)
    expect(streams.flatMap(titles)).toEqual([])
    const path = '/api/notifications/stream'
    for (const { ask } of [replica, other]) {
      expect((await ask('GET', `${path}?ticket=${ticket}`)).status).toBe(401)
      expect((await ask('GET', path, { token: person.token })).status).toBe(401)
    }
  })

  it('breaks the connection of a client that does not read, before anything grows', async () => {
    const replica = await startReplica(sql, { stalledAfterMs: 600 })
    const person = await replica.newListener()
    const asked = vi.spyOn(replica.deps.notifications, 'after')
    const socket = connectSocket(Number(new URL(replica.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    const request = [
      'GET /api/notifications/stream?last_event_id=0 HTTP/1.1',
      'host: x',
      `authorization: Bearer ${person.token}`,
    ]
    const title = 'x'.repeat(500)
    await sql`
      insert into notifications (id, user_id, source, type, title, body, late, seq, created_at)
      select gen_random_uuid(), ${person.id}, 'test/' || n, 'notice', ${title}, repeat('y', 3000), false, n + 1, now()
      from generate_series(1, 5000) n`
    await sql`update user_counters set last_seq = 6000 where user_id = ${person.id}`
    socket.write(`${request.join('\r\n')}\r\n\r\n`)
    await until(() => replica.deps.streams.count() === 1)
    let calls = 0
    await until(() => {
      const hasStopped = calls > 0 && calls === asked.mock.calls.length
      calls = asked.mock.calls.length
      return hasStopped
    })
    await until(() => replica.deps.streams.count() === 0)
    expect(asked.mock.calls.length).toBeLessThan(40) // of 50, the rest was never read
    socket.resume()
    await once(socket, 'close')
  })

  it('sends a heartbeat every 30 s, and ends itself between 4 and 4.5 minutes with a hint when to come back', async () => {
    const timers = manualTimers()
    const replica = await startReplica(sql, { startTimer: timers.startTimer })
    const stream = await replica.listen(await replica.newListener())
    await until(() => stream.messages.length === 1)
    for (let count = 1; count <= 7; count += 1) {
      timers.advance(29_999)
      expect(named(stream, 'heartbeat')).toHaveLength(count - 1)
      timers.advance(1)
      await until(() => named(stream, 'heartbeat').length === count)
    }
    expect(data(stream.messages.at(-1)!)).toEqual({ server_time: expect.stringMatching(/Z$/) })
    expect(stream.messages.at(-1)!.id).toBe(stream.messages[0]!.id)
    expect(replica.deps.streams.count()).toBe(1)
    timers.advance(60_000)
    await stream.ended
    expect(replica.deps.streams.count()).toBe(0)
  })

  it(
    'tells each of 1,000 notifications once and in order to clients that come and go while they are written',
    { timeout: 60_000 },
    async () => {
      const replicas = [await startReplica(sql), await startReplica(sql)]
      const person = await replicas[0]!.newListener()
      const client = async (seed: number) => {
        const seen: string[] = []
        let lastId = ''
        for (let visit = 0; seen.length < 1000; visit += 1) {
          const stream = await replicas[(seed + visit) % 2]!.listen(person, {
            query: lastId === '' ? '?last_event_id=0' : '',
            headers: lastId === '' ? {} : { 'last-event-id': lastId },
          })
          const stay = 1 + ((seed * 31 + visit * 17) % 80)
          await until(() => titles(stream).length >= Math.min(stay, 1000 - seen.length))
          stream.close()
          seen.push(...titles(stream).map(String))
          lastId = stream.messages.at(-1)!.id
        }
        return seen
      }
      const written: string[] = []
      const write = async (writer: number) => {
        for (let n = 0; n < 250; n += 1) {
          await announce(replicas[writer % 2]!.deps.changes, person.id, {
            title: `${writer}-${n}-${systemIds.uuid()}`,
          })
        }
      }
      const clients = [1, 2, 3, 4].map(client)
      await Promise.all([0, 1, 2, 3].map(write))
      const rows = await sql<{ title: string }[]>`
        select title from notifications where user_id = ${person.id} order by seq`
      written.push(...rows.map(({ title }) => title))
      expect(written).toHaveLength(1000)
      for (const seen of await Promise.all(clients)) expect(seen).toEqual(written)
    },
  )
})
