import fc from 'fast-check'
import { connect } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  apiOperations,
  bodySchema,
  breaches,
  problemBreaches,
  type ApiOperation,
} from '../testing/worlds/api-document.ts'
import type { Person } from '../testing/worlds/api-client.ts'
import { givenWorld } from '../testing/worlds/api-world.ts'
import { givenProduct } from '../testing/worlds/given-product.ts'
import * as hostile from '../testing/worlds/hostile.ts'

/** Where each request goes through two sidecars, fewer will do: what they answer is the same. */
const RUNS = Number(process.env.FUZZ_RUNS ?? (givenProduct() ? 300 : 1000))
/** No request may keep the process busy for longer, whatever its rule or its text. */
const HANGS_MS = 5000

let world: Awaited<ReturnType<typeof givenWorld>>
let ada: Person
let eve: Person
let ids: string[]
beforeAll(async () => {
  world = await givenWorld()
  ada = await world.register()
  eve = await world.register()
  // By default a reminder follows each task, later than the answer.
  await world.have(eve, 'PUT', '/api/notifications/preferences', { default_reminder_minutes: null })
  const recurring = { recurrence_rule: 'FREQ=DAILY', due_at: '2027-03-01T09:00:00Z' }
  const made = Array.from({ length: 30 }, async (_, n) => {
    const [owner, extra] = [n % 3 === 0 ? eve : ada, n % 2 === 0 ? recurring : {}]
    return String((await world.have(owner, 'POST', '/api/tasks', { title: `Task ${n}`, ...extra })).id)
  })
  ids = await Promise.all(made)
})

/** A request to an operation, wrong in one way or in many. */
function requestTo(operation: ApiOperation) {
  const isTask = operation.path.startsWith('/api/tasks')
  const real = fc.nat(ids.length - 1).map((n) => ({ segment: ids[n] ?? '', mangled: false }))
  const inQuery = (operation.parameters ?? []).filter((one) => one.in === 'query')
  const schema = bodySchema(operation)
  const json = schema && hostile.body(schema).map((value) => JSON.stringify(value))
  return fc.record({
    name: fc.constant(operation.operationId),
    id: operation.path.includes('{')
      ? fc.oneof({ weight: 4, arbitrary: real }, hostile.oddSegment)
      : fc.constant({ segment: '', mangled: false }),
    below: isTask
      ? fc.oneof(
          { weight: 8, arbitrary: fc.constant('/api/') },
          fc.constantFrom(`/api/${ada.id}/`, `/api/${ada.id.toUpperCase()}/`, `/api/${eve.id}/`, '/api/%20/'),
        )
      : fc.constant('/api/'),
    query: fc.oneof({ weight: 2, arbitrary: fc.constant('') }, hostile.query(inQuery)),
    headers: hostile.headers,
    body: json ? fc.oneof({ weight: 9, arbitrary: json }, hostile.rawBody) : fc.constant(null),
  })
}

/** Operations that read no input have little to get wrong, and hashing passwords takes a tenth of a second each. */
function weightOf(operation: ApiOperation): number {
  if (operation.tags.includes('auth')) return 1
  return operation.requestBody ? 8 : operation.parameters ? 4 : 1
}

type Hostile = ReturnType<typeof requestTo> extends fc.Arbitrary<infer Value> ? Value : never

/** Sends one request and checks that the answer is one that the document allows. */
async function survive({ name, id, below, query, headers, body }: Hostile): Promise<void> {
  const operation = apiOperations.find((one) => one.operationId === name)!
  const path = operation.path.replace('/api/', below).replaceAll(/\{\w+\}/g, id.segment)
  const startedAt = performance.now()
  const got = await world.ask(operation.method, query === '' ? path : `${path}?${query}`, {
    token: ada.token,
    headers: { ...(body !== null && { 'content-type': 'application/json' }), ...headers },
    ...(body !== null && { body }),
  })
  expect(problemBreaches(got)).toEqual([])
  // A path that needs an escape is known to no unit behind a gateway.
  const isUnknown = givenProduct() !== undefined && below.includes('%')
  if (!id.mangled && !isUnknown) expect(breaches(operation, got)).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(HANGS_MS)
}

describe('hostile input', () => {
  it(
    'meets no 5xx, only problem documents, and no answer that is not documented',
    { timeout: 600_000 },
    async () => {
      const eventsOfEve = await world.eventsOf(eve)
      const operations = apiOperations.flatMap((one) => Array<ApiOperation>(weightOf(one)).fill(one))
      const request = fc.constantFrom(...operations).chain(requestTo)
      await fc.assert(fc.asyncProperty(request, survive), { numRuns: RUNS, endOnFailure: true })
      expect(await world.eventsOf(eve)).toEqual(eventsOfEve)
    },
  )

  it('gets 401 for every token that nobody issued, on every operation that wants one', async () => {
    const tokens = hostile.forgeries(ada.token, eve.id)
    for (const operation of apiOperations.filter((one) => one.security.length > 0)) {
      for (const token of tokens) {
        const got = await world.ask(operation.method, operation.path.replace('{id}', ids[1] ?? ''), { token })
        expect([operation.operationId, token.slice(0, 99), got.status]).toEqual([
          operation.operationId,
          token.slice(0, 99),
          401,
        ])
        expect(problemBreaches(got)).toEqual([])
      }
    }
  })

  it('on the wire, where no client cleans up paths and hosts, meets no 5xx either', async () => {
    const port = await world.listen()
    const targets = [
      '/api/tasks/../tasks',
      '//api/tasks',
      '/api//tasks',
      '/api/tasks/%',
      '/api/tasks/%zz',
      '/api/tasks/%00',
      '/api/tasks/..%2f..%2f',
      '/api/tasks/\u00e9',
      '/..',
      '/api/tasks?%',
      '/api/tasks?q=%ff',
      '*',
      'http://[::1',
      `/api/tasks/${'a'.repeat(12_000)}`,
      `/api/tasks?${'a=1&'.repeat(3000)}`,
      '/docs/%2e%2e/package.json',
      '/\\evil',
    ]
    const hosts = ['127.0.0.1', '', 'a b', '[', 'x'.repeat(300), 'user@host', '127.0.0.1:99999']
    for (const [target, host] of targets.flatMap((one) => hosts.map((other) => [one, other] as const))) {
      const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${ada.token}\r\nConnection: close\r\n\r\n`
      const line = await statusLine(port, request)
      expect(`${target.slice(0, 40)} at ${host.slice(0, 20)}: ${line}`).toMatch(/: HTTP\/1\.1 [234]\d\d /)
    }
  })
})

/** Sends bytes as they are and resolves to the first line of the answer. */
function statusLine(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''))
    socket.on('error', reject)
  })
}
