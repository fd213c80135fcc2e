import { connect, type Socket } from 'node:net'
import type { Hono } from 'hono'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseResources } from '../../dapr/embedded/resources.ts'
import { createSidecar } from '../../dapr/embedded/sidecar.ts'
import type { Deps } from '../../shared/app/ports.ts'
import type { ForwardedRequest } from '../../shared/app/web/ports.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { createUpstreams } from '../../shared/dapr/other-units.ts'
import type { Fetch } from '../../shared/dapr/transport.ts'
import type { AppEnv } from '../../shared/kit/base-app.ts'
import { mountFunctions, type DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { serve } from '../../shared/kit/edge/serve.ts'
import { systemClock, systemTimer } from '../../shared/kit/system.ts'
import { unitOf, unitsOf } from '../../shared/kit/units.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { APP_TOKEN, composeDaybook, obligingSidecar } from '../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { SYSTEM_RESOURCES } from '../compose.ts'
import { loadFunctions } from '../main.ts'
import { ROUTES } from '../routes.ts'
import gateway from './gateway.ts'

const sql = await testDatabase()
const functions = await loadFunctions()

/** Every unit as an app of its own, the gateway's with a sidecar that reaches all others. */
async function unitsApart() {
  const apps = new Map<string, (request: Request) => Promise<Response>>()
  const received: { unit: string; request: Request }[] = []
  const sidecar = createSidecar({
    appId: 'edge',
    sql,
    resources: parseResources([]),
    app: () => new Response(null, { status: 404 }),
    clock: systemClock,
    env: {},
    dataDir: '.',
    logger: silentLogger,
    appToken: APP_TOKEN,
    apps,
    fetch: async () => Promise.reject(new Error('no network in this test')),
  })
  const sidecarFetch: Fetch = (url, init) => sidecar.fetch(new Request(url, init))
  const mounted = new Map<string, Hono<AppEnv>>()
  const depsOf = new Map<string, Deps>()
  for (const unit of unitsOf(functions)) {
    const ownFetch = unit.id === 'edge' ? sidecarFetch : obligingSidecar
    const resources = { ...SYSTEM_RESOURCES, log: silentLogger, sidecarFetch: ownFetch }
    const { deps } = composeDaybook(sql, { env: { TRUSTED_PROXIES: '10.0.0.0/8' }, resources })
    const app = mountFunctions(await loadFunctions(unit.functions), deps)
    mounted.set(unit.id, app)
    depsOf.set(unit.id, deps)
    apps.set(unit.id, async (request) => {
      received.push({ unit: unit.id, request: request.clone() })
      return app.fetch(request)
    })
  }
  return { web: mounted.get('edge')!, mounted, deps: depsOf, apps, received, sidecarFetch }
}

const world = await unitsApart()

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

let people = 0
async function registered(): Promise<string> {
  const account = { email: `person-${++people}@example.org`, password: 'correct horse battery staple' }
  const answer = await world.web.request('/api/auth/register', json(account))
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { access_token: string }).access_token
}

const TWO_AT_ONCE = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '2' }

/** The gateway alone; what it forwards is kept and answered with `answer`. */
function alone(answer: () => Response = () => new Response('{}'), env: Record<string, string> = {}) {
  const forwarded: (ForwardedRequest & { unit: string })[] = []
  const forward = async (unit: string, request: ForwardedRequest) => {
    forwarded.push({ unit, ...request })
    return answer()
  }
  const daybook = composeDaybook(sql, { env })
  const deps: Deps = { ...daybook.deps, upstreams: { forward } }
  return { app: mountFunctions([gateway], deps), forwarded, deps, logged: daybook.logged }
}

/** A client that has asked for tasks and takes nothing of the answer before it is read. */
async function askAndPause(app: Hono<AppEnv>): Promise<Socket> {
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' }, { stalledAfterMs: 600 })
  const socket = connect(server.port, '127.0.0.1')
  onTestFinished(async () => {
    socket.destroy()
    await server.close(0)
  })
  socket.pause().on('error', () => {})
  socket.write('GET /api/tasks HTTP/1.1\r\nhost: x\r\n\r\n')
  return socket
}

/** An answer that has begun, and fails when the signal says so, as one that comes by fetch does. */
const brokenBy = (signal: AbortSignal): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"items":['))
        signal.addEventListener('abort', () => controller.error(signal.reason))
      },
    }),
  )

describe('the gateway', () => {
  it.each(Object.entries(ROUTES))('answers %s as %s does', async (route, name) => {
    const unit = unitOf({ name, kind: 'http' })!
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replaceAll(/:\w+/g, '0199d0a0-0000-7000-8000-000000000000')
    const init = { method, headers: { 'x-request-id': 'asked-by-a-test' } }
    const direct = await world.mounted.get(unit)!.request(path, init)
    const through = await world.web.request(path, init)
    expect(through.status).toBe(direct.status)
    expect(await through.text()).toBe(await direct.text())
    expect(Object.fromEntries(through.headers)).toEqual(Object.fromEntries(direct.headers))
    expect(world.received.at(-1)).toMatchObject({ unit, request: { method } })
  })

  it('calls an app of each function, where there is one', async () => {
    const { app, forwarded } = alone(undefined, { GRANULARITY: 'function' })
    await app.request('/api/tasks')
    await app.request('/api/auth/login', json({}))
    expect(forwarded.map(({ unit }) => unit)).toEqual(['tasks-list-tasks', 'auth-log-in'])
  })

  it('serves a task from its creation to its end', async () => {
    const authorization = `Bearer ${await registered()}`
    const headers = { authorization }
    const created = await world.web.request('/api/tasks', json({ title: 'Pay rent' }, headers))
    expect(created.status).toBe(201)
    const task = (await created.json()) as { id: string; version: number }
    const path = `/api/tasks/${task.id}`
    expect(created.headers.get('location')).toBe(path)
    expect(created.headers.get('etag')).toBe('"1"')

    const unchanged = await world.web.request(path, { headers: { ...headers, 'if-none-match': '"1"' } })
    expect([unchanged.status, await unchanged.text()]).toEqual([304, ''])
    const head = await world.web.request(path, { method: 'HEAD', headers })
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, '"1"', ''])
    const stale = { ...headers, 'content-type': 'application/json', 'if-match': '"7"' }
    const edit = await world.web.request(path, { method: 'PATCH', body: '{"title":"x"}', headers: stale })
    expect([edit.status, ((await edit.json()) as { code: string }).code]).toEqual([
      412,
      'task.version_conflict',
    ])
    const list = await world.web.request('/api/tasks?q=pay%20rent&limit=1', { headers })
    expect(await list.json()).toMatchObject({ items: [{ id: task.id }] })
    expect((await world.web.request(`${path}/complete`, { method: 'POST', headers })).status).toBe(200)
    expect((await world.web.request(path, { method: 'DELETE', headers })).status).toBeLessThan(300)
    expect((await world.web.request(path, { headers })).status).toBe(404)
  })

  it('gives a repeated write its stored answer', async () => {
    const headers = { authorization: `Bearer ${await registered()}`, 'idempotency-key': 'k1' }
    const once = await world.web.request('/api/tasks', json({ title: 'Once' }, headers))
    const again = await world.web.request('/api/tasks', json({ title: 'Once' }, headers))
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await again.json()).toEqual(await once.json())
  })

  it('tells all methods of a path that other units serve', async () => {
    for (const [method, status] of [
      ['PUT', 405],
      ['OPTIONS', 204],
    ] as const) {
      const answer = await world.web.request('/api/tasks', { method })
      expect([method, answer.status, answer.headers.get('allow')?.split(', ').toSorted()]).toEqual([
        method,
        status,
        ['GET', 'HEAD', 'POST'],
      ])
    }
  })

  it.each([
    '/',
    '/api/nothing',
    '/job/x-1',
    '/dapr/events/task-events',
    '/dapr/cron/sweep-series-cron',
    '/internal/anything',
    '/v1.0/invoke/tasks-api/method/api/tasks',
    '//api/tasks',
    '/api//tasks',
  ])('has nothing at %s, whichever unit has', async (path) => {
    const { app, forwarded } = alone()
    for (const method of ['GET', 'POST']) {
      const answer = await app.request(path, { method })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
      expect(await answer.json()).toMatchObject({ code: 'request.not_found' })
    }
    expect(forwarded).toEqual([])
  })

  it.each([
    '..%2f..%2fdapr%2fcron%2fpurge-cron',
    '%2e%2e%2fx',
    '%252e%252e%252fx',
    '..%5cx',
    '..%255cx',
    '%23x',
    '%3fx',
    'a;b',
    '%00',
    '%0d%0ax',
    '...%2f..',
    '%c0%ae%c0%ae',
  ])('sends no unit the path /api/tasks/%s', async (trick) => {
    world.received.length = 0
    expect((await world.web.request(`/api/tasks/${trick}`)).status).toBe(404)
    expect((await world.web.request(`/api/tasks/${trick}/complete`, { method: 'POST' })).status).toBe(404)
    expect(world.received).toEqual([])
  })

  it('finds /api/t%61sks where its own unit would', async () => {
    expect((await world.web.request('/api/t%61sks')).status).toBe(401)
  })

  it('forwards nothing that its own process serves, so that one process for all never calls another', async () => {
    const { deps, forwarded } = alone()
    const others = functions.filter((fn) => fn !== (gateway as DaybookFunction))
    const apart = mountFunctions(others, deps)
    const whole = mountFunctions([gateway, ...others], deps)
    const routes = (app: Hono<AppEnv>) => app.routes.map(({ method, path }) => `${method} ${path}`)
    expect(routes(whole)).toEqual(routes(apart))
    expect((await whole.request('/api/tasks')).status).toBe(401)
    expect(forwarded).toEqual([])
  })

  it('does not forward what has been forwarded before', async () => {
    const { app, forwarded } = alone()
    expect((await app.request('/api/tasks')).status).toBe(200)
    const { headers } = forwarded[0]!
    const answer = await app.request('/api/tasks', { headers })
    expect(answer.status).toBe(404)
    expect(forwarded).toHaveLength(1)
  })

  it.each([
    ['idempotency-key', ''],
    ['idempotency-key', '\u00fc'],
    ['if-match', ''],
    ['if-none-match', ''],
    ['if-match', '"\u00fc"'],
  ])('refuses the header %s: %j, which no sidecar carries, before it asks anybody', async (name, value) => {
    const { app, forwarded } = alone()
    const answer = await app.request('/api/tasks', json({ title: 'x' }, { [name]: value }))
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'request.malformed' }])
    expect(forwarded).toEqual([])
  })

  it('hands on who asks and in which trace, and nothing that speaks to a sidecar', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    world.received.length = 0
    await world.web.request('/api/tasks', {
      headers: {
        authorization: 'Bearer x',
        accept: 'application/json',
        'user-agent': 'curl/8',
        cookie: 'a=b',
        'x-request-id': 'r-1',
        traceparent: `00-${trace}-00f067aa0ba902b7-01`,
        tracestate: 'a=1',
        'dapr-app-id': 'auth-api',
        'dapr-api-token': 'forged',
        'dapr-caller-app-id': 'auth-api',
        'x-forwarded-host': 'evil.example',
        connection: 'x-secret',
        'x-secret': '1',
      },
    })
    const { unit, request } = world.received[0]!
    expect(unit).toBe('tasks-api')
    const sent = Object.fromEntries(request.headers)
    expect(sent).toMatchObject({
      authorization: 'Bearer x',
      accept: 'application/json',
      'user-agent': 'curl/8',
      'x-request-id': 'r-1',
      tracestate: 'a=1',
      'dapr-api-token': APP_TOKEN,
      'dapr-caller-app-id': 'edge',
    })
    expect(sent.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
    for (const name of ['cookie', 'dapr-app-id', 'x-forwarded-host', 'x-secret'])
      expect(sent).not.toHaveProperty(name)
  })

  it('tells the unit the address of the client, not what the client says it is', async () => {
    const server = await serve(world.web.fetch, { port: 0, host: '127.0.0.1' })
    onTestFinished(() => server.close(1000))
    world.received.length = 0
    await fetch(`http://127.0.0.1:${server.port}/api/tasks`, {
      headers: { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' },
    })
    const { headers } = world.received[0]!.request
    expect(headers.get('x-forwarded-for')).toBe('127.0.0.1')
    expect(headers.get('x-forwarded-proto')).toBeNull()
  })

  it('refuses a body that is too large before it asks anybody', async () => {
    const { app, forwarded } = alone()
    const answer = await app.request('/api/tasks', json({ title: 'x'.repeat(1024 * 1024) }))
    expect(answer.status).toBe(413)
    expect(forwarded).toEqual([])
  })

  it.each([
    ['GET', {}, true],
    ['HEAD', {}, true],
    ['POST', {}, false],
    ['DELETE', {}, false],
    ['POST', { 'idempotency-key': 'k' }, true],
    ['PATCH', { 'if-match': '"3"' }, true],
    ['PATCH', { 'if-match': '*' }, false],
  ])('knows of %s with %j whether it may be repeated: %s', async (method, headers, isRepeatable) => {
    const { app, forwarded } = alone()
    const path = method === 'POST' ? '/api/tasks' : '/api/tasks/0199d0a0-0000-7000-8000-000000000000'
    await app.request(path, { method, headers })
    expect(forwarded).toMatchObject([{ method, isRepeatable }])
  })

  // As Envoy behind a load balancer writes it with use_remote_address, and what a client may send itself.
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7', '203.0.113.7'],
    ['10.9.9.9, 203.0.113.7, 10.0.0.3', '203.0.113.7'],
  ])('tells a unit the address of the client behind the ingress: %s is %s', async (given, expected) => {
    const account = { email: `person-${++people}@example.org`, password: 'correct horse battery staple' }
    const pod = { incoming: { socket: { remoteAddress: '10.244.0.9' } } }
    const request = json(account, { 'x-forwarded-for': given })
    const answer = await world.web.request('/api/auth/register', request, pod)
    const { user } = (await answer.json()) as { user: { id: string } }
    const found = await sql`
      select distinct data -> 'actor' ->> 'client_ip' as address from events where user_id = ${user.id}`
    expect(found).toEqual([{ address: expected }])
  })

  it('drops of an answer what belongs to one connection', async () => {
    const answer = () =>
      new Response('{}', {
        headers: {
          connection: 'close, x-hop',
          'x-hop': '1',
          'keep-alive': '5',
          'set-cookie': 'a=b',
          'dapr-anything': '1',
          traceparent: 'x',
          'x-kept': '1',
        },
      })
    const got = await alone(answer).app.request('/api/tasks')
    expect(got.headers.get('set-cookie')).toBe('a=b')
    expect(got.headers.get('x-kept')).toBe('1')
    for (const name of ['connection', 'keep-alive', 'x-hop', 'dapr-anything', 'traceparent']) {
      expect([name, got.headers.get(name)]).toEqual([name, null])
    }
  })

  it('takes no more of an answer from a unit than its client takes, and drops a client that takes nothing', async () => {
    let pulled = 0
    const cancelled = Promise.withResolvers<void>()
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled += 1
        controller.enqueue(new Uint8Array(65_536))
      },
      cancel: () => cancelled.resolve(),
    })
    const { app, logged } = alone(() => new Response(endless))
    const client = await askAndPause(app)
    await cancelled.promise
    expect(pulled).toBeLessThan(500) // as much as the system keeps for a connection
    client.destroy()
    expect(logged).toEqual([])
  })

  it('has nothing to report when a client goes away in the middle of an answer', async () => {
    const complained = vi.spyOn(console, 'error')
    const { app, logged, forwarded } = alone(() => brokenBy(forwarded[0]!.signal))
    const client = await askAndPause(app)
    await vi.waitFor(() => expect(forwarded).toHaveLength(1))
    client.destroy()
    await vi.waitFor(() => expect(forwarded[0]!.signal.aborted).toBe(true))
    await new Promise(setImmediate)
    expect([logged, complained.mock.calls]).toEqual([[], []])
  })

  it('cuts the connection when a unit breaks off, so that half an answer never passes for a whole one', async () => {
    const complained = vi.spyOn(console, 'error')
    const broken = new AbortController()
    const { app, logged, forwarded } = alone(() => brokenBy(broken.signal))
    const client = await askAndPause(app)
    let got = ''
    client.setEncoding('utf8').on('data', (text: string) => (got += text))
    client.resume()
    await vi.waitFor(() => expect(forwarded).toHaveLength(1))
    broken.abort(new Error('terminated'))
    await new Promise((resolve) => client.once('close', resolve))
    expect(got).not.toContain('\r\n0\r\n') // the end of an answer in chunks
    expect(logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('failed to pass on') }])
    expect(complained).not.toHaveBeenCalled()
  })

  it('limits by token what it passes on, because it knows no users', async () => {
    const { app } = alone(() => new Response('{}'), TWO_AT_ONCE)
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await app.request('/api/tasks', { headers })).status
    }
    const statuses = async (token: string) => [await ask(token), await ask(token), await ask(token)]
    expect(await statuses('of-ada')).toEqual([200, 200, 429])
    expect(await statuses('of-bob')).toEqual([200, 200, 429])
  })

  it('counts a token that the unit refuses by address, too, so that another one helps nobody', async () => {
    const { app } = alone(() => new Response('{}', { status: 401 }), TWO_AT_ONCE)
    const statuses: number[] = []
    for (const token of ['a', 'b', 'c']) {
      const answer = await app.request('/api/tasks', { headers: { authorization: `Bearer ${token}` } })
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([401, 401, 429])
  })

  it('takes an answer from its unit to the end whatever its client takes, and few of one client at once', async () => {
    let [asked, taken] = [0, 0]
    const answer = () => {
      asked += 1
      let left = 16
      return new Response(
        new ReadableStream({
          pull: (controller) => {
            left -= 1
            controller.enqueue(new Uint8Array(2 ** 16))
            if (left > 0) return
            taken += 1
            controller.close()
          },
        }),
      )
    }
    const { app } = alone(answer)
    const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
    onTestFinished(() => server.close(0))
    const ask = (token: string, times: number) => {
      const socket = connect(server.port, '127.0.0.1').on('error', () => {})
      onTestFinished(() => void socket.destroy())
      const request = `GET /api/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`
      socket.pause().write(request.repeat(times))
      return socket
    }
    // More than the system keeps for a connection.
    const rude = Array.from({ length: 3 }, () => ask('of-ada', 20))
    await vi.waitFor(() => expect(taken).toBeGreaterThanOrEqual(8))
    await new Promise(setImmediate)
    const before = asked
    expect(taken).toBe(before)
    expect(before).toBeLessThan(60)
    ask('of-bob', 1)
    await vi.waitFor(() => expect(taken).toBe(before + 1))
    for (const socket of rude) socket.resume()
    await vi.waitFor(() => expect(taken).toBe(61), { timeout: 5000 })
  })

  it('says that a unit is away, when to come back, and nothing of how it knows', async () => {
    const dapr = createDaprClient({ baseUrl: 'http://sidecar', fetch: world.sidecarFetch, timeoutMs: 1000 })
    const units = createUpstreams(dapr, { clock: systemClock, startTimer: systemTimer, patienceMs: 100 })
    world.apps.delete('tasks-api')
    const answer = await mountFunctions([gateway], { ...alone().deps, upstreams: units }).request(
      '/api/tasks',
    )
    const problem = (await answer.json()) as object
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(problem).toMatchObject({ code: 'gateway.unreachable', status: 503, title: 'Service unavailable' })
    expect(JSON.stringify(problem)).not.toMatch(/ERR_|dapr|find service| at /)
  })
})
