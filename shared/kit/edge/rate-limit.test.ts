import { expect, it } from 'vitest'
import { OPEN } from '../../../testing/builders/open-function.ts'
import { composeDaybook, tokenOf } from '../../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { DomainError } from '../../domain/errors.ts'
import { httpFunction } from '../http-function.ts'
import { linkPage } from './link-page.ts'
import { mountFunctions } from '../mount-functions.ts'

const LIMIT = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '3' }
const sql = await testDatabase()
const [ADA, BOB] = ['0199d0a0-0000-7000-8000-00000000000a', '0199d0a0-0000-7000-8000-00000000000b']
const TRUSTED = '10.0.0.1'

const own = httpFunction({ ...OPEN, route: 'GET /own', auth: 'tasks:read' })
const open = httpFunction({ ...OPEN, route: 'GET /open' })
const probe = httpFunction({ ...OPEN, route: 'GET /livez' })
/** Refuses by a limit of its own. */
const guarded = (route: `GET /${string}`, limit?: number) =>
  httpFunction({
    ...OPEN,
    route,
    handle: async () => {
      throw new DomainError('auth.rate_limited', 'Wait.', { retryAfterSeconds: 840, ...(limit && { limit }) })
    },
  })
const byTen = guarded('GET /ten', 10)
const byTurn = guarded('GET /turn')

const link = linkPage('/link', {
  uses: [],
  title: 'Link',
  question: 'Sure?',
  button: 'Yes',
  done: 'Done.',
  act: async () => {},
})

/** A process with these functions, asked from addresses, whose clock stands still. */
function given(env: Record<string, string> = LIMIT) {
  const { deps, clock } = composeDaybook(sql, { env: { TRUSTED_PROXIES: TRUSTED, ...env } })
  const app = mountFunctions([own, open, probe, byTen, byTurn, link], deps)
  const ask = async (path: string, { from = '198.51.100.1', headers = {}, token = '' } = {}) => {
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
    const env = { incoming: { socket: { remoteAddress: from } } }
    return await app.request(path, { headers: { ...authorization, ...headers } }, env)
  }
  const statuses = async (count: number, ...[path, options]: Parameters<typeof ask>) => {
    const answers: number[] = []
    for (let nth = 0; nth < count; nth += 1) answers.push((await ask(path, options)).status)
    return answers
  }
  return { deps, clock, app, ask, statuses }
}

it('lets a user in as often as the limit allows, whatever address and token they use, and nobody else suffers', async () => {
  const { statuses, clock } = given()
  const [ada, bob] = [{ token: tokenOf(ADA) }, { token: tokenOf(BOB) }]
  expect(await statuses(4, '/own', ada)).toEqual([200, 200, 200, 429])
  expect(await statuses(1, '/own', { ...ada, from: '203.0.113.9' })).toEqual([429])
  expect(await statuses(3, '/own', bob)).toEqual([200, 200, 200])
  clock.advance(1000)
  expect(await statuses(2, '/own', ada)).toEqual([200, 429])
})

it('tells what is left, and refuses by a problem document that says when to come back', async () => {
  const { ask, statuses } = given()
  const first = await ask('/own', { token: tokenOf(ADA) })
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'ratelimit-limit': '3',
    'ratelimit-remaining': '2',
    'ratelimit-reset': '1',
  })
  await statuses(2, '/own', { token: tokenOf(ADA) })
  const refused = await ask('/own', { token: tokenOf(ADA) })
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'content-type': 'application/problem+json',
    'retry-after': '1',
    'ratelimit-limit': '3',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '1',
    'x-request-id': expect.stringMatching(/./),
  })
  expect(await refused.json()).toMatchObject({ status: 429, code: 'rate_limit.exceeded' })
})

it('tells of the limit that refused, not of the one that let the request in', async () => {
  const { ask } = given()
  const headersOf = async (path: string) => {
    const { headers } = await ask(path)
    return ['limit', 'remaining', 'reset'].map((name) => headers.get(`ratelimit-${name}`))
  }
  expect(await headersOf('/ten')).toEqual(['10', '0', '840'])
  expect(await headersOf('/turn')).toEqual([null, null, null])
})

it('counts by address where nobody signs in, the path unknown or not, and leaves users at that address alone', async () => {
  const { statuses } = given()
  expect(await statuses(2, '/open')).toEqual([200, 200])
  expect(await statuses(2, '/nothing')).toEqual([404, 429])
  expect(await statuses(1, '/own', { token: tokenOf(ADA) })).toEqual([200])
  expect(await statuses(1, '/open', { from: '198.51.100.2' })).toEqual([200])
})

it('counts bad tokens, also where none is asked for, by address', async () => {
  const { statuses } = given()
  expect(await statuses(4, '/own', { token: 'forged' })).toEqual([401, 401, 401, 429])
  expect(await statuses(1, '/open', { token: 'forged' })).toEqual([429])
})

it('counts a token without the scope against its user, not against the address', async () => {
  const { statuses, deps } = given()
  const authenticate = deps.authenticate
  deps.authenticate = async (token) => ({ ...(await authenticate(token)), scopes: [] })
  expect(await statuses(4, '/own', { token: tokenOf(ADA) })).toEqual([403, 403, 403, 429])
  expect(await statuses(1, '/open')).toEqual([200])
})

it('lets all clients of an address have ten times the limit together, before a token is looked at', async () => {
  const { statuses, deps } = given()
  let looked = 0
  const authenticate = deps.authenticate
  deps.authenticate = (token) => {
    looked += 1
    return authenticate(token)
  }
  const answers = await statuses(50, '/own', { token: 'forged' })
  expect(new Set(answers.slice(30))).toEqual(new Set([429]))
  expect(looked).toBe(30)
})

it('takes half of an IPv6 address for one client', async () => {
  const { statuses } = given()
  expect(await statuses(3, '/open', { from: '2001:db8::1' })).toEqual([200, 200, 200])
  expect(await statuses(1, '/open', { from: '2001:db8::ffff:1' })).toEqual([429])
  expect(await statuses(1, '/open', { from: '2001:db8:0:1::1' })).toEqual([200])
})

it('knows clients behind a proxy it trusts, and only those', async () => {
  const { statuses } = given()
  const as = (client: string, from = TRUSTED) => ({ from, headers: { 'x-forwarded-for': client } })
  expect(await statuses(4, '/open', as('203.0.113.1'))).toEqual([200, 200, 200, 429])
  expect(await statuses(1, '/open', as('203.0.113.2'))).toEqual([200])
  expect(await statuses(3, '/open', as('203.0.113.3', '198.51.100.9'))).toEqual([200, 200, 200])
  expect(await statuses(1, '/open', as('203.0.113.4', '198.51.100.9'))).toEqual([429])
})

it('takes the client from the gateway, and limits whatever else comes through the sidecar', async () => {
  const { statuses, deps } = given()
  const sidecar = { 'dapr-api-token': deps.settings.appToken }
  const passedOn = (client: string) => ({
    from: '127.0.0.1',
    headers: { ...sidecar, via: '1.1 daybook-gateway', 'x-forwarded-for': `${client}, 10.1.1.1` },
  })
  expect(await statuses(4, '/open', passedOn('203.0.113.1'))).toEqual([200, 200, 200, 429])
  expect(await statuses(1, '/open', passedOn('203.0.113.2'))).toEqual([200])
  expect(await statuses(4, '/open', { from: '127.0.0.1', headers: sidecar })).toEqual([200, 200, 200, 429])
})

it('limits no probe of this machine or of a proxy it trusts, those of others by address, and each beside all else', async () => {
  const { statuses } = given()
  for (const from of ['127.0.0.1', TRUSTED])
    expect(new Set(await statuses(50, '/livez', { from }))).toEqual(new Set([200]))
  expect(await statuses(4, '/open')).toEqual([200, 200, 200, 429])
  expect(await statuses(4, '/livez')).toEqual([200, 200, 200, 429])
  const proxied = { from: TRUSTED, headers: { 'x-forwarded-for': '203.0.113.1' } }
  expect(await statuses(4, '/livez', proxied)).toEqual([200, 200, 200, 429])
  expect(await statuses(1, '/livez', { from: '198.51.100.2' })).toEqual([200])
})

it('counts a link in a mail by address, whatever token comes with it', async () => {
  const { statuses } = given()
  expect(await statuses(4, '/link', { token: 'forged' })).toEqual([200, 200, 200, 429])
})

it('does not limit anything when it is off', async () => {
  const { ask, statuses } = given({})
  expect(new Set(await statuses(50, '/own', { token: tokenOf(ADA) }))).toEqual(new Set([200]))
  expect((await ask('/open')).headers.get('ratelimit-limit')).toBeNull()
})
