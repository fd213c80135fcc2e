import { describe, expect, it, onTestFinished } from 'vitest'
import { OPEN } from '../../../testing/builders/open-function.ts'
import { composeDaybook, tokenOf } from '../../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { readConfig } from '../../config.ts'
import { DomainError } from '../../domain/errors.ts'
import { httpFunction } from '../http-function.ts'
import { mountFunctions } from '../mount-functions.ts'
import { serve } from './serve.ts'

const sql = await testDatabase()
const APP = 'https://app.example.org'
const USER = '0199d0a0-0000-7000-8000-00000000000a'

const own = httpFunction({
  ...OPEN,
  route: 'PATCH /own',
  auth: 'tasks:write',
  handle: async () => ({ body: { version: 3 } }),
})
const refused = httpFunction({
  ...OPEN,
  route: 'GET /refused',
  handle: async () => {
    throw new DomainError('auth.rate_limited', 'Wait.', { retryAfterSeconds: 840 })
  },
})
/** Answers as pages do, without the kit. */
const page = httpFunction({
  ...OPEN,
  route: 'GET /page',
  handle: async () => new Response('page', { headers: { 'cache-control': 'public, max-age=300' } }),
})
const stream = httpFunction({
  ...OPEN,
  route: 'GET /stream',
  auth: 'tasks:read',
  events: {},
  handle: async () => ({
    first: { event: 'connected', data: {} },
    next: async () => await Promise.resolve({ items: [], hasMore: false }),
    subscribe: () => () => {},
  }),
})

const given = (env: Record<string, string> = { CORS_ORIGINS: `${APP}, http://localhost:5173` }) => {
  const { deps } = composeDaybook(sql, { env })
  return { app: mountFunctions([own, refused, page, stream], deps), deps }
}
const headersOf = (answer: Response) =>
  Object.fromEntries([...answer.headers].filter(([name]) => /^(access-control-.*|vary)$/.test(name)))
const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'authorization,content-type,if-match,x-anything',
  },
})
const signed = { authorization: `Bearer ${tokenOf(USER)}` }
const READABLE = {
  'access-control-allow-origin': APP,
  // Of answers without credentials, which ours are: all of them (WHATWG Fetch, CORS protocol).
  'access-control-expose-headers': '*',
  vary: 'Origin',
}

describe('CORS_ORIGINS', () => {
  it('is off by default: no page elsewhere may read an answer', async () => {
    const { app } = given({})
    for (const init of [preflight(APP), { method: 'PATCH', headers: { origin: APP, ...signed } }]) {
      expect(headersOf(await app.request('/own', init))).toEqual({})
    }
  })

  it('answers a preflight of a page that it names, whatever the path, with all that clients send', async () => {
    const { app } = given()
    for (const origin of [APP, 'http://localhost:5173']) {
      const answer = await app.request('/own', preflight(origin))
      expect([answer.status, await answer.text()]).toEqual([204, ''])
      expect(headersOf(answer)).toEqual({
        ...READABLE,
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET,HEAD,POST,PUT,PATCH,DELETE',
        'access-control-allow-headers':
          'Authorization,Content-Type,Idempotency-Key,If-Match,If-None-Match,Last-Event-ID,X-Request-Id,traceparent,tracestate',
        'access-control-max-age': '600',
        vary: 'Origin, Access-Control-Request-Headers',
      })
    }
  })

  it('lets such a page read answers, refusals, pages and what is not there, and never sends credentials', async () => {
    const { app } = given()
    const headers = { origin: APP, ...signed }
    const answers: [string, RequestInit, number][] = [
      ['/own', { method: 'PATCH', headers }, 200],
      ['/own', { method: 'PATCH', headers: { origin: APP } }, 401],
      ['/refused', { headers }, 429],
      ['/page', { headers }, 200],
      ['/nowhere', { headers }, 404],
      ['/own', { headers }, 405],
    ]
    for (const [path, init, status] of answers) {
      const answer = await app.request(path, init)
      expect([path, answer.status, headersOf(answer)]).toEqual([path, status, READABLE])
    }
    const own = await app.request('/own', { method: 'PATCH', headers })
    expect([own.headers.get('etag'), await own.json()]).toEqual(['"3"', { version: 3 }])
    const page = await app.request('/page', { headers })
    expect([page.headers.get('cache-control'), await page.text()]).toEqual(['public, max-age=300', 'page'])
  })

  it('lets such a page read a live stream over the network', async () => {
    const { app, deps } = given()
    const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
    onTestFinished(() => server.close(100))
    onTestFinished(() => deps.streams.endAll())
    const answer = await fetch(`http://127.0.0.1:${server.port}/stream`, {
      headers: { origin: APP, ...signed },
    })
    const reader = answer.body!.getReader()
    expect(Buffer.from((await reader.read()).value).toString()).toContain('event: connected')
    expect(headersOf(answer)).toEqual(READABLE)
    await reader.cancel()
  })

  it.each([
    'https://evil.example',
    'https://app.example.org.evil.example',
    'https://evil-app.example.org',
    'http://app.example.org',
    'https://app.example.org:8443',
    'https://app.example.org/',
    'HTTPS://APP.EXAMPLE.ORG',
    'https://app.example.org, https://evil.example',
    'null',
    '*',
    '',
  ])('lets no page of %j read anything', async (origin) => {
    const { app } = given()
    const answers = [
      await app.request('/own', preflight(origin)),
      await app.request('/own', { method: 'PATCH', headers: { origin, ...signed } }),
      await app.request('/page', { headers: { origin } }),
    ]
    // What a cache has kept for one page is not for another.
    for (const answer of answers) expect(headersOf(answer)).toEqual({ vary: 'Origin' })
  })

  it('tells caches to keep an answer apart that was asked for without an origin', async () => {
    expect(headersOf(await given().app.request('/page'))).toEqual({ vary: 'Origin' })
  })

  it('leaves an OPTIONS alone that is no preflight', async () => {
    const init = { method: 'OPTIONS', headers: { origin: APP } }
    const answer = await given().app.request('/own', init)
    expect(answer.headers.get('allow')).toContain('PATCH')
    expect(answer.headers.get('access-control-allow-methods')).toBeNull()
  })

  it('counts no preflight against the limits, and lets a page read that it is over one', async () => {
    const limit = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '1' }
    const { app } = given({ ...limit, CORS_ORIGINS: APP })
    for (let nth = 0; nth < 30; nth += 1) {
      expect((await app.request('/own', preflight(APP))).status).toBe(204)
    }
    const patch = () => app.request('/own', { method: 'PATCH', headers: { origin: APP, ...signed } })
    expect((await patch()).status).toBe(200)
    const over = await patch()
    expect([over.status, headersOf(over)]).toEqual([429, READABLE])
  })

  it.each([
    '*',
    'https://*.example.org',
    'app.example.org',
    'https://app.example.org/',
    'https://app.example.org/path',
    'https://app.example.org:443',
    'https://App.example.org',
    'https://user@app.example.org',
    'https://app.example.org,*',
    'https://app.example.org,',
    'https://app.example.org https://other.example.org',
    'null',
    'ftp://app.example.org',
    'file:///',
    'https://bücher.example',
  ])('is refused at the start as %j, by its name', (CORS_ORIGINS) => {
    expect(() => readConfig({ CORS_ORIGINS })).toThrow(/CORS_ORIGINS\S*: must be origins, such as https:/)
  })

  it('takes several, with blanks after the commas, and nothing for none', () => {
    const origins = (CORS_ORIGINS: string) => readConfig({ CORS_ORIGINS }).corsOrigins
    expect(
      origins('https://a.example, http://localhost:5173,http://[::1]:8080,https://xn--bcher-kva.example'),
    ).toEqual([
      'https://a.example',
      'http://localhost:5173',
      'http://[::1]:8080',
      'https://xn--bcher-kva.example',
    ])
    expect(origins('')).toEqual([])
  })
})
