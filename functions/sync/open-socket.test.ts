import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { revoked } from '../../shared/domain/auth/identity-session.ts'
import { aChange, anEvent } from '../../testing/builders/a-task.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { startReplica, type Replica } from '../../testing/worlds/replica.ts'
import { openSocket, type SocketOptions, type TestSocket } from '../../testing/worlds/web-socket.ts'

const sql = await testDatabase({ max: 20 })
const until = (condition: () => unknown) => vi.waitFor(() => expect(condition()).toBe(true), 10_000)
const path = '/api/tasks/ws'
const write = (replica: Replica, userId: string) => replica.deps.changes.commit(aChange(userId))
const signedIn = ({ token }: { token: string }, options: SocketOptions = {}) => ({
  ...options,
  headers: { authorization: `Bearer ${token}` },
})

const sequences = ({ messages }: TestSocket) =>
  messages.flatMap(({ type, event }) =>
    type === 'change' ? [Number((event as { sequence: string }).sequence)] : [],
  )
const lastCursor = ({ messages }: TestSocket) =>
  messages.findLast(({ type }) => type === 'cursor' || type === 'subscribed')?.cursor as string
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, n) => from + n)
const typesOf = ({ messages }: TestSocket) => messages.map(({ type }) => type)

describe('the socket', () => {
  it('tells of tasks as the requirement documents have it', async () => {
    const replica = await startReplica(sql, {
      also: [
        'tasks/create-task',
        'tasks/edit-task',
        'tasks/complete-task',
        'tasks/delete-task',
        'tasks/reorder-tasks',
        'tasks/get-task',
      ],
    })
    const person = await replica.newListener()
    const does = async (method: string, at: string, json?: unknown) => {
      const { text } = await replica.ask(method, at, {
        token: person.token,
        ...(json !== undefined && { json }),
      })
      return (text === '' ? {} : JSON.parse(text)) as { id: string; updated_at: string }
    }
    const socket = await openSocket(replica.url + path, signedIn(person))
    socket.send({ type: 'subscribe', channel: 'tasks', user_id: person.id })
    await until(() => typesOf(socket).includes('cursor'))
    const [one, other] = [
      await does('POST', '/api/tasks', { title: 'One' }),
      await does('POST', '/api/tasks', { title: 'Two' }),
    ]
    await does('PATCH', `/api/tasks/${one.id}`, { title: 'First' })
    await does('POST', `/api/tasks/${one.id}/complete`)
    await does('POST', '/api/tasks/reorder', { task_ids: [other.id, one.id] })
    const { updated_at } = await does('GET', `/api/tasks/${one.id}`)
    await does('DELETE', `/api/tasks/${other.id}`)
    const told = () => socket.messages.filter(({ type }) => type.startsWith('task.'))
    await until(() => told().length === 6)
    expect(told().map(({ type, event, data }) => [type, event, data])).toEqual([
      ['task.created', 'task.created', one],
      ['task.created', 'task.created', other],
      ['task.updated', 'task.updated', expect.objectContaining({ id: one.id, title: 'First' })],
      ['task.updated', 'task.completed', expect.objectContaining({ id: one.id, is_completed: true })],
      [
        'task.reordered',
        'task.reordered',
        expect.objectContaining({ task_ids: expect.arrayContaining([one.id]) as unknown, updated_at }),
      ],
      ['task.deleted', 'task.deleted', { id: other.id }],
    ])
    socket.send({ type: 'unsubscribe', channel: 'tasks' })
    await until(() => typesOf(socket).at(-1) === 'unsubscribed')
    await does('POST', '/api/tasks', { title: 'Unheard' })
    socket.send({ type: 'ping' })
    await until(() => typesOf(socket).at(-1) === 'pong')
    expect(told()).toHaveLength(6)
    expect((await replica.ask('GET', `/api/tasks/${one.id}`, { token: person.token })).status).toBe(200)
  })

  it('goes on elsewhere and after a restart without gap or repetition, and says when everything was told', async () => {
    const replicas = [await startReplica(sql), await startReplica(sql)]
    const person = await replicas[0]!.newListener()
    await write(replicas[0]!, person.id)
    const since = await firstCursor(replicas[0]!, person)
    const writing = Promise.all(upTo(300, 2).map((n) => write(replicas[n % 2]!, person.id)))
    const got: number[] = []
    let cursor = since
    for (let visit = 0; got.length < 299; visit += 1) {
      const socket = await openSocket(replicas[visit % 2]!.url + path, signedIn(person))
      socket.send({ type: 'subscribe', channel: 'changes', since: cursor })
      await until(() => sequences(socket).length >= Math.min(1 + ((visit * 13) % 90), 299 - got.length))
      const changes = socket.messages.filter(({ type }) => type === 'change')
      socket.close()
      got.push(...sequences(socket).slice(0, changes.length))
      cursor = changes.at(-1)!.cursor as string
    }
    await writing
    expect(got).toEqual(upTo(300, 2))
    const last = await openSocket(replicas[0]!.url + path, signedIn(person))
    last.send({ type: 'subscribe', channel: 'changes', since: cursor })
    await until(() => last.messages.some((message) => message.is_up_to_date === true))
    expect(sequences(last)).toEqual([])
  })

  it("tells nothing of another user, and refuses another user's name and cursor", async () => {
    const replica = await startReplica(sql)
    const [one, other] = [await replica.newListener(), await replica.newListener()]
    await write(replica, other.id)
    const foreign = await firstCursor(replica, other)
    const socket = await openSocket(replica.url + path, signedIn(one))
    socket.send({ type: 'subscribe', channel: 'changes', user_id: other.id })
    socket.send({ type: 'subscribe', channel: 'changes', since: foreign })
    socket.send({ type: 'subscribe', channel: 'changes' })
    await until(() => typesOf(socket).includes('cursor'))
    await write(replica, other.id)
    await write(replica, one.id)
    await until(() => sequences(socket).length === 1)
    expect(socket.messages.flatMap(({ code }) => code ?? [])).toEqual([
      'auth.forbidden',
      'changes.cursor_gone',
    ])
    await expect(
      openSocket(`${replica.url}/api/${other.id}${path.slice('/api'.length)}`, signedIn(one)),
    ).rejects.toMatchObject({
      status: 403,
    })
    await openSocket(`${replica.url}/api/${one.id}${path.slice('/api'.length)}`, signedIn(one))
  })

  it('takes a ticket, or the first message, in place of the header', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const url = `${replica.url}${path}?ticket=${await replica.ticketFor(person)}`
    const byTicket = await openSocket(url)
    await until(() => typesOf(byTicket)[0] === 'connected')
    await expect(openSocket(url)).rejects.toMatchObject({
      status: 401,
      text: expect.stringContaining('auth.invalid_token') as string,
    })
    for (const signIn of [{ token: person.token }, { ticket: await replica.ticketFor(person) }]) {
      const socket = await openSocket(replica.url + path)
      socket.send({ type: 'auth', ...signIn })
      socket.send({ type: 'subscribe', channel: 'changes' })
      await until(() => typesOf(socket).includes('subscribed'))
      expect(typesOf(socket)[0]).toBe('connected')
    }
  })

  it.each([
    [{ type: 'subscribe', channel: 'changes' }],
    [{ type: 'auth' }],
    [{ type: 'auth', token: 'x' }],
    ['{'],
  ])('closes what says first %j', async (message) => {
    const replica = await startReplica(sql)
    const socket = await openSocket(replica.url + path)
    socket.send(message)
    expect(await socket.closed).toBe(4401)
    expect(typesOf(socket)).toEqual(['error'])
  })

  it('closes what says nothing for ten seconds', async () => {
    const timers = manualTimers()
    const replica = await startReplica(sql, { startTimer: timers.startTimer })
    const socket = await openSocket(replica.url + path)
    timers.advance(10_000)
    expect(await socket.closed).toBe(4401)
  })

  it('wants the scope, and an upgrade', async () => {
    const replica = await startReplica(sql)
    const { token } = await openSession(replica.deps, replica.deps.ids.uuid(), { scopes: ['tasks:read'] })
    await expect(openSocket(replica.url + path, signedIn({ token }))).rejects.toMatchObject({ status: 403 })
    const plain = await fetch(replica.url + path)
    expect([plain.status, plain.headers.get('upgrade'), await plain.json()]).toMatchObject([
      426,
      'websocket',
      { code: 'request.upgrade_required' },
    ])
    const other = await fetch(`${replica.url}/api/changes`, {
      headers: { authorization: `Bearer ${(await replica.newListener()).token}` },
    })
    expect(other.status).toBe(200)
  })

  it.each([
    [
      'an upgrade to something else',
      'GET /api/tasks/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
      426,
    ],
    [
      'an upgrade of another path',
      'GET /api/changes HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      401,
    ],
    ['no host', 'GET /api/tasks/ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 400],
    [
      'no key',
      'GET /api/tasks/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      400,
    ],
    [
      'an unknown path',
      'GET /x/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      404,
    ],
    [
      'a forged token',
      'GET /api/tasks/ws HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      401,
    ],
  ])('answers %s', async (_, request, status) => {
    const replica = await startReplica(sql)
    const socket = connect(Number(new URL(replica.url).port), '127.0.0.1')
    socket.write(request)
    const text = await new Promise<string>((resolve) =>
      socket.once('data', (chunk) => resolve(chunk.toString())),
    )
    socket.destroy()
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it('answers what it does not understand, and closes what is too large or no text', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const open = () => openSocket(replica.url + path, signedIn(person))
    const socket = await open()
    for (const odd of ['{', '[]', 'null', '{"type":"subscribe","channel":"x"}', '{"type":"ack"}'])
      socket.send(odd)
    await until(() => socket.messages.filter(({ code }) => code === 'request.invalid').length === 5)
    socket.send('x'.repeat(65 * 1024))
    expect(await socket.closed).toBe(1009)
    const binary = await open()
    binary.send(Buffer.from('{}'))
    expect(await binary.closed).toBe(1003)
    const flood = await open()
    for (let n = 0; n <= 600; n += 1) flood.send({ type: 'ping' })
    expect(await flood.closed).toBe(4429)
  })

  it('reads no stream into memory for who asks for an upgrade where there is none, and ends such a connection', async () => {
    const replica = await startReplica(sql)
    const { token } = await replica.newListener()
    const port = Number(new URL(replica.url).port)
    for (const target of ['/api/changes/stream?last_event_id=0&ticket=/ws', '/x/ws']) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      const head = `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`
      socket.write(`${head}connection: upgrade\r\nupgrade: websocket\r\n\r\n`)
      const text = await new Promise<string>((resolve) =>
        socket.once('data', (data) => resolve(data.toString())),
      )
      expect(text).toMatch(
        target.startsWith('/x') ? /^HTTP\/1.1 404 / : /^HTTP\/1.1 200 [\s\S]*text\/event-stream/,
      )
      if (target.startsWith('/x')) continue // which is left as it is
      socket.destroy()
    }
    const startedAt = performance.now()
    await replica.close()
    expect(performance.now() - startedAt).toBeLessThan(4000)
  })

  it('loses nothing of one channel where the other cannot be read', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const socket = await openSocket(replica.url + path, signedIn(person))
    socket.send({ type: 'subscribe', channel: 'changes' })
    socket.send({ type: 'subscribe', channel: 'tasks' })
    await until(() => typesOf(socket).filter((type) => type === 'cursor').length === 2)
    const read = replica.deps.changeLog.after
    let calls = 0
    vi.spyOn(replica.deps.changeLog, 'after').mockImplementation(async (...asked) => {
      if ((calls += 1) === 2) throw new Error('away')
      return await read(...asked)
    })
    await write(replica, person.id)
    await until(() => sequences(socket).length === 1)
    await write(replica, person.id)
    await until(() => sequences(socket).length === 2)
    expect(sequences(socket)).toEqual([1, 2])
  })

  it('ends with its session, in every process', async () => {
    const [replica, other] = [await startReplica(sql), await startReplica(sql)]
    const person = await replica.newListener()
    const sockets = await Promise.all(
      [replica, other].map(({ url }) => openSocket(url + path, signedIn(person))),
    )
    await until(() => sockets.every((socket) => typesOf(socket).length > 0))
    const at = new Date()
    await replica.deps.identity.store.commit({
      userId: person.id,
      at,
      changedSession: revoked(person.session, at),
      events: [],
    })
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4401, 4401])
  })

  it('ends the oldest of more than ten of a user, and all when the process ends', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const sockets: TestSocket[] = []
    for (let n = 0; n < 11; n += 1) sockets.push(await openSocket(replica.url + path, signedIn(person)))
    expect(await sockets[0]!.closed).toBe(4429)
    expect(sockets[0]!.messages.at(-1)).toEqual({ type: 'closing', reason: 'too_many', retry_ms: 60_000 })
    const startedAt = performance.now()
    await replica.close()
    expect(performance.now() - startedAt).toBeLessThan(4000)
    expect(await Promise.all(sockets.slice(1).map(({ closed }) => closed))).toEqual(Array(10).fill(1012))
  })

  it('sends a heartbeat every 30 s, drops who does not answer, and ends in time with a hint when to come back', async () => {
    const timers = manualTimers()
    const replica = await startReplica(sql, { startTimer: timers.startTimer })
    const [person, deaf] = [await replica.newListener(), await replica.newListener()]
    const socket = await openSocket(replica.url + path, signedIn(person))
    const silent = await openSocket(replica.url + path, { ...signedIn(deaf) })
    silent.raw.pause()
    await until(() => replica.deps.streams.count() === 2)
    for (let count = 1; count <= 7; count += 1) {
      const ponged = new Promise((resolve) => socket.raw.once('ping', resolve))
      timers.advance(30_000)
      await ponged
      await until(() => typesOf(socket).filter((type) => type === 'heartbeat').length === count)
      await new Promise((resolve) => setTimeout(resolve, 20)) // the pong arrives
    }
    expect(replica.deps.streams.count()).toBe(1)
    silent.raw.resume()
    expect(await silent.closed).toBeGreaterThan(1000)
    timers.advance(60_000)
    expect(await socket.closed).toBe(1012)
    expect(socket.messages.at(-1)).toMatchObject({ type: 'closing', reason: 'over' })
  })

  it('reads no further than its client takes, and drops a client that takes nothing', async () => {
    const replica = await startReplica(sql, { stalledAfterMs: 600 })
    const person = await replica.newListener()
    const big = anEvent({ data: { said: 'x'.repeat(90_000) } })
    for (let n = 0; n < 10; n += 1) {
      await replica.deps.changes.commit(
        aChange(person.id, {
          events: Array.from({ length: 50 }, () => ({ ...big, id: replica.deps.ids.uuid() })),
        }),
      )
    }
    const asked = vi.spyOn(replica.deps.changeLog, 'after')
    const socket = await openSocket(replica.url + path, signedIn(person))
    socket.send({ type: 'subscribe', channel: 'changes', since: '0' })
    await until(() => sequences(socket).length > 0)
    socket.raw.pause()
    await until(() => replica.deps.streams.count() === 0)
    // Some 45 pages in all; between server and client the system holds ten megabytes at most.
    expect(asked.mock.calls.length).toBeLessThan(25)
    const again = await openSocket(replica.url + path, signedIn(person))
    again.send({
      type: 'subscribe',
      channel: 'changes',
      since: socket.messages.findLast(({ type }) => type === 'change')!.cursor as string,
    })
    await until(() => (sequences(again).at(-1) ?? 0) === 500)
    const told = [...sequences(socket), ...sequences(again)]
    expect(told.slice(0, 500)).toEqual(upTo(500))
  })

  it('runs no more than 1,000 changes ahead of what is acknowledged', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const events = () => Array.from({ length: 60 }, () => anEvent())
    for (let n = 0; n < 40; n += 1)
      await replica.deps.changes.commit(aChange(person.id, { events: events() }))
    const start = await firstCursor(replica, person, 1)
    const socket = await openSocket(replica.url + path, signedIn(person))
    socket.send({ type: 'subscribe', channel: 'changes', since: start })
    socket.send({ type: 'ack', cursor: start })
    await until(() => sequences(socket).length >= 1000)
    for (let count = 0; count < sequences(socket).length;) {
      count = sequences(socket).length
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    expect(sequences(socket).length).toBeLessThanOrEqual(1099)
    for (let done = false; !done; done = sequences(socket).length === 2399) {
      socket.send({ type: 'ack', cursor: lastCursor(socket) })
      const before = typesOf(socket).filter((type) => type === 'acknowledged').length
      await until(() => typesOf(socket).filter((type) => type === 'acknowledged').length > before - 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(sequences(socket)).toEqual(upTo(2400, 2))
  })

  it('goes on by itself after a read that failed, without a gap', async () => {
    const timers = manualTimers()
    const replica = await startReplica(sql, { startTimer: timers.startTimer })
    const person = await replica.newListener()
    const socket = await openSocket(replica.url + path, signedIn(person))
    for (const channel of ['tasks', 'changes']) socket.send({ type: 'subscribe', channel })
    await until(() => typesOf(socket).filter((type) => type === 'cursor').length === 2)
    const failing = vi.spyOn(replica.deps.changeLog, 'after').mockRejectedValue(new Error('away'))
    await write(replica, person.id)
    await until(() => failing.mock.calls.length > 0)
    failing.mockRestore()
    await write(replica, person.id)
    for (let n = 0; sequences(socket).length < 2 && n < 100; n += 1) {
      timers.advance(100)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(sequences(socket)).toEqual([1, 2])
  })

  it('reads no more messages while one is not answered', async () => {
    const replica = await startReplica(sql)
    const socket = await openSocket(replica.url + path, signedIn(await replica.newListener()))
    const held = Promise.withResolvers<void>()
    const { after } = replica.deps.changeLog
    vi.spyOn(replica.deps.changeLog, 'after').mockImplementation(async (...given) => {
      await held.promise
      return await after(...given)
    })
    socket.send({ type: 'subscribe', channel: 'changes' })
    const padding = 'x'.repeat(60_000)
    for (let n = 0; n < 500; n += 1) socket.send({ type: 'ping', padding })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(socket.raw.bufferedAmount).toBeGreaterThan(5_000_000)
    held.resolve()
    await until(() => typesOf(socket).filter((type) => type === 'pong').length === 500)
  })

  it('counts a sign-in and messages as requests of the user', async () => {
    const replica = await startReplica(sql, {
      env: { RATE_LIMIT_PER_SECOND: '0.001', RATE_LIMIT_BURST: '20' },
    })
    const person = await replica.newListener()
    const socket = await openSocket(replica.url + path)
    socket.send({ type: 'auth', token: person.token })
    for (let n = 0; n < 3; n += 1) socket.send({ type: 'ping' })
    await until(() => typesOf(socket).filter((type) => type === 'pong').length === 3)
    const { headers } = await fetch(`${replica.url}/api/changes`, {
      headers: { authorization: `Bearer ${person.token}` },
    })
    expect(headers.get('ratelimit-remaining')).toBe('15')
    for (let n = 0; n < 16; n += 1) socket.send({ type: 'ping' })
    await until(() => typesOf(socket).includes('error'))
    expect(typesOf(socket).filter((type) => type === 'pong')).toHaveLength(18)
    expect(socket.messages.at(-1)).toMatchObject({ code: 'rate_limit.exceeded' })
    const late = await openSocket(replica.url + path)
    late.send({ type: 'auth', token: person.token })
    expect(await late.closed).toBe(4429)
  })

  it('does not begin where the client leaves while it is looked who it is', async () => {
    const replica = await startReplica(sql)
    const ticket = await replica.ticketFor(await replica.newListener())
    const held = Promise.withResolvers<void>()
    const { store } = replica.deps.identity
    const { takeTicket } = store
    const asked = vi.spyOn(store, 'takeTicket').mockImplementation(async (...given) => {
      await held.promise
      return await takeTicket(...given)
    })
    const socket = await openSocket(replica.url + path)
    socket.send({ type: 'auth', ticket })
    await until(() => asked.mock.calls.length === 1)
    socket.close()
    await socket.closed
    await new Promise((resolve) => setTimeout(resolve, 100))
    held.resolve()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(replica.deps.streams.count()).toBe(0)
  })

  it('ends with the token that opened it', async () => {
    const timers = manualTimers()
    let ahead = 0
    const clock = { now: () => new Date(Date.now() + ahead) }
    const replica = await startReplica(sql, { startTimer: timers.startTimer, clock })
    const person = await replica.newListener()
    ahead = 15 * 60_000 - 25_000
    const ticket = await replica.ticketFor(person)
    const sockets = [
      await openSocket(replica.url + path, signedIn(person)),
      await openSocket(`${replica.url}${path}?ticket=${ticket}`),
    ]
    await until(() => replica.deps.streams.count() === 2)
    timers.advance(25_000)
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4401, 4401])
  })

  it('says that a cursor is gone where it becomes so, and stays open', async () => {
    const replica = await startReplica(sql)
    const person = await replica.newListener()
    const socket = await openSocket(replica.url + path, signedIn(person))
    socket.send({ type: 'subscribe', channel: 'changes' })
    await until(() => typesOf(socket).includes('cursor'))
    await sql`update history set id = gen_random_uuid()`
    await write(replica, person.id)
    await until(() => typesOf(socket).includes('error'))
    expect(socket.messages.at(-1)).toMatchObject({ code: 'changes.cursor_gone', channel: 'changes' })
    socket.send({ type: 'subscribe', channel: 'changes', since: '0' })
    await until(() => sequences(socket).length === 1)
  })
})

async function firstCursor(replica: Replica, { token }: { token: string }, limit = 1): Promise<string> {
  const { text } = await replica.ask('GET', `/api/changes?limit=${limit}`, { token })
  return (JSON.parse(text) as { next_since: string }).next_since
}
