import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { DomainError } from '../../domain/errors.ts'
import { OPEN } from '../../../testing/builders/open-function.ts'
import { composeDaybook, tokenOf } from '../../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { cronFunction } from '../cron-function.ts'
import { httpFunction } from '../http-function.ts'
import { mountFunctions, type DaybookFunction } from '../mount-functions.ts'
import { serve } from './serve.ts'

const ADA = '0199d0a0-0000-7000-8000-00000000000a'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

const sql = await testDatabase()

const named = (name: string, fn: DaybookFunction): DaybookFunction => Object.assign(fn, { name })

const functions = [
  named(
    'tasks/get-thing',
    httpFunction({
      ...OPEN,
      route: 'GET /api/things/:id',
      auth: 'tasks:read',
      params: z.object({ id: z.string() }),
      handle: async ({ params }) => {
        if (params.id === 'forbidden') throw new DomainError('auth.forbidden', 'Not for you.')
        return { body: {} }
      },
    }),
  ),
  named('tasks/list-things', httpFunction({ ...OPEN, route: 'GET /api/things' })),
  named(
    'tasks/add-thing',
    httpFunction({
      ...OPEN,
      route: 'POST /api/things',
      body: z.strictObject({ title: z.string() }),
      handle: async () => {
        throw new Error('a failure of ours')
      },
    }),
  ),
  named('health/livez', httpFunction({ ...OPEN, route: 'GET /livez' })),
  named('outbox/relay', cronFunction({ schedule: '@every 5m', uses: [], handle: async () => {} })),
]

/** A process that tells of its requests. */
function given(env: Record<string, string> = {}) {
  const { deps, clock, logged } = composeDaybook(sql, { env: { LOG_REQUESTS: 'true', ...env } })
  const app = mountFunctions(functions, deps)
  const ask = async (path: string, init: RequestInit = {}, from = '198.51.100.7') => {
    const env = { incoming: { socket: { remoteAddress: from } } }
    const answer = await app.request(path, init, env)
    await new Promise(setImmediate)
    return answer
  }
  return { deps, clock, app, ask, logged }
}

const as = (userId: string) => ({ authorization: `Bearer ${tokenOf(userId)}` })

it('leaves one line for a request: what was asked of whom and what came of it, nothing that it held', async () => {
  const { ask, logged } = given()
  const headers = { ...as(ADA), 'x-request-id': 'r-1', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }
  await ask('/api/things/secret-id?q=secret-words', { headers })
  expect(logged).toEqual([
    {
      level: 'info',
      message: 'answered request',
      fields: {
        function: 'tasks/get-thing',
        status: 200,
        ms: expect.any(Number),
        user_id: ADA,
        request_id: 'r-1',
        trace_id: TRACE,
      },
    },
  ])
  expect(JSON.stringify(logged)).not.toMatch(/secret|198\.51|user\.0199/)
})

it('leaves none when it is told not to, except of refusals', async () => {
  const { ask, logged } = given({ LOG_REQUESTS: 'false' })
  await ask('/api/things/1', { headers: as(ADA) })
  expect(logged).toEqual([])
  await ask('/api/things/1')
  expect(logged).toMatchObject([{ level: 'warn', fields: { reason: 'auth.required' } }])
})

const aRefusal = (fields: object): unknown => ({
  level: 'warn',
  message: 'refused request',
  fields: expect.objectContaining({ ...fields, client: expect.stringMatching(/^[0-9a-f]{12}$/) }),
})

it.each([
  { why: 'has no token', headers: {}, reason: 'auth.required' },
  { why: 'has a bad one', headers: { authorization: 'Bearer secret' }, reason: 'auth.invalid_token' },
  { why: 'may not do it', path: '/api/things/forbidden', headers: as(ADA), reason: 'auth.forbidden' },
])('warns once of a client that $why', async ({ path = '/api/things/1', headers, reason }) => {
  const { ask, logged } = given()
  await ask(path, { headers })
  expect(logged).toEqual([aRefusal({ function: 'tasks/get-thing', reason })])
  expect(JSON.stringify(logged)).not.toMatch(/secret|198\.51/)
})

it('warns once of a callback without the token of the sidecar', async () => {
  const { ask, logged } = given()
  await ask('/dapr/cron/relay-cron', { method: 'POST', headers: { 'dapr-api-token': 'secret' } })
  expect(logged).toEqual([aRefusal({ function: 'outbox/relay', reason: 'auth.required' })])
  expect(JSON.stringify(logged)).not.toMatch(/secret|198\.51/)
})

it('warns of what is too much, with the function that was asked for', async () => {
  const { ask, logged } = given({ RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '1' })
  for (let nth = 0; nth < 2; nth += 1) await ask('/api/things', { method: 'POST', body: '{' })
  expect(logged.at(-1)).toMatchObject({
    level: 'warn',
    fields: { function: 'tasks/add-thing', status: 429, reason: 'rate_limit.exceeded' },
  })
})

it('knows a client again by its digest, and another process does not', async () => {
  const { ask, logged, deps } = given()
  await ask('/api/things/1', {}, '198.51.100.7')
  await ask('/api/things/1', {}, '198.51.100.8')
  await ask('/api/things/1', {}, '198.51.100.7')
  deps.settings.addressKey = 'of another process'
  await ask('/api/things/1', {}, '198.51.100.7')
  const [first, other, again, elsewhere] = logged.map(({ fields }) => (fields as { client: string }).client)
  expect(again).toBe(first)
  expect(new Set([first, other, elsewhere]).size).toBe(3)
})

it('writes some lines of a flood of refusals and counts the others, by client and in all', async () => {
  const { ask, logged, clock } = given()
  for (let nth = 0; nth < 100; nth += 1) await ask('/api/things/1')
  expect(logged).toHaveLength(20)
  await ask('/api/things/1', {}, '203.0.113.1')
  expect(logged.at(-1)!.fields).toMatchObject({ suppressed: 80 })
  for (let nth = 0; nth < 500; nth += 1) await ask('/api/things/1', {}, `10.0.${nth >> 8}.${nth & 255}`)
  expect(logged).toHaveLength(200)
  clock.advance(1000)
  for (let nth = 0; nth < 100; nth += 1) await ask('/api/things/1', {}, `10.1.0.${nth}`)
  expect(logged).toHaveLength(210)
})

it('says nothing at info of probes and ticks that do well', async () => {
  const { ask, logged, deps } = given()
  await ask('/livez')
  await ask('/dapr/cron/relay-cron', {
    method: 'POST',
    headers: { 'dapr-api-token': deps.settings.appToken },
  })
  expect(logged).toMatchObject([
    { level: 'debug', fields: { function: 'health/livez' } },
    { level: 'debug', fields: { function: 'outbox/relay', status: 204 } },
  ])
})

it('takes a client that goes away in the middle of its request for no failure, and a failure of ours for one', async () => {
  const { app, logged } = given()
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close(0))
  const send = async (body: string, length: number) => {
    const socket = connect(server.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    const head = [
      'POST /api/things HTTP/1.1',
      'host: x',
      'content-type: application/json',
      `content-length: ${length}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    return socket
  }
  const unfinished = await send('{"title":', 100)
  unfinished.destroy()
  await vi.waitFor(() => expect(logged).toHaveLength(1), { timeout: 5000 })
  expect(logged).toMatchObject([
    { level: 'debug', message: 'aborted request: client disconnected', fields: { status: 499 } },
  ])
  logged.length = 0
  await send('{"title":"x"}', 13)
  await vi.waitFor(() => expect(logged).toHaveLength(2))
  expect(logged.map(({ level, message }) => [level, message])).toEqual([
    ['error', 'failed to handle request'],
    ['info', 'answered request'],
  ])
})
