import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { OPEN } from '../../../testing/builders/open-function.ts'
import { APP_TOKEN, tokenOf } from '../../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'
import { httpFunction } from '../http-function.ts'
import { mountFunctions } from '../mount-functions.ts'
import { systemIds } from '../system.ts'
import { serve } from './serve.ts'

const body = { words: 'a task and another task and '.repeat(2000) }
const JSON_TEXT = JSON.stringify(body)
const functions = [
  httpFunction({ ...OPEN, route: 'GET /large', handle: async () => ({ body }) }),
  httpFunction({ ...OPEN, route: 'GET /small', handle: async () => ({ body: { words: 'a'.repeat(2000) } }) }),
  httpFunction({ ...OPEN, route: 'GET /versioned', handle: async () => ({ body: { ...body, version: 4 } }) }),
  httpFunction({ ...OPEN, route: 'POST /large', handle: async () => ({ body }) }),
  httpFunction({
    ...OPEN,
    route: 'GET /stream',
    auth: 'notifications:read',
    events: {},
    handle: async () => ({
      first: { event: 'x', data: body },
      next: async () => ({ items: [], hasMore: false }),
      subscribe: () => () => {},
    }),
  }),
]
const { deps } = await testDaybook()
const app = mountFunctions(functions, deps)
const gzip = { 'accept-encoding': 'gzip, deflate, br' }
const codingOf = ({ headers }: Response) => headers.get('content-encoding')

it.each(['gzip', 'br, GZIP', 'gzip;q=0.5, identity;q=0.1', ' deflate ,gzip ; q=1.0'])(
  'a large answer is compressed for who accepts %j',
  async (accepted) => {
    const answer = await app.request('/large', { headers: { 'accept-encoding': accepted } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect([codingOf(answer), answer.headers.get('vary')]).toEqual(['gzip', 'accept-encoding'])
    expect(answer.headers.get('content-length')).toBe(String(bytes.length))
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('x-request-id')).toBeTruthy()
    expect(bytes.length).toBeLessThan(JSON_TEXT.length / 20)
    expect(gunzipSync(bytes).toString()).toBe(JSON_TEXT)
  },
)

it.each(['', 'br', 'gzip;q=0', 'gzip; q=0.0, br', 'x-gzip', 'gzipped'])(
  'not for who accepts %j',
  async (accepted) => {
    const answer = await app.request('/large', { headers: { 'accept-encoding': accepted } })
    expect([codingOf(answer), answer.headers.get('vary')]).toEqual([null, 'accept-encoding'])
    expect(await answer.text()).toBe(JSON_TEXT)
  },
)

it('what is small, versioned, made by POST or refused stays as it is', async () => {
  for (const path of ['/small', '/versioned', '/nothing']) {
    const answer = await app.request(path, { headers: gzip })
    expect([path, codingOf(answer), answer.headers.get('vary')]).toEqual([path, null, null])
  }
  const posted = await app.request('/large', { method: 'POST', headers: gzip })
  expect([codingOf(posted), await posted.text()]).toEqual([null, JSON_TEXT])
})

it('what a sidecar asks for stays as it is', async () => {
  const answer = await app.request('/large', { headers: { ...gzip, 'dapr-api-token': APP_TOKEN } })
  expect([codingOf(answer), await answer.text()]).toEqual([null, JSON_TEXT])
})

it('a stream comes as it is, at once', async () => {
  const headers = { ...gzip, authorization: `Bearer ${tokenOf(systemIds.uuid())}` }
  const answer = await app.request('/stream', { headers })
  const reader = answer.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  expect([codingOf(answer), Buffer.from(value).toString()]).toEqual([
    null,
    expect.stringContaining('event: x'),
  ])
})

it('while one is compressed, others go out as they are, and all are whole', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => app.request('/large', { headers: gzip })),
  )
  expect(new Set(answers.map(codingOf))).toEqual(new Set(['gzip', null]))
  for (const answer of answers) {
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect((codingOf(answer) === 'gzip' ? gunzipSync(bytes) : bytes).toString()).toBe(JSON_TEXT)
  }
  expect(codingOf(await app.request('/large', { headers: gzip }))).toBe('gzip')
})

it('on the wire has one length, also for HEAD, whose answer has no body', async () => {
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close(0))
  const answered = (method: string, coding: string) =>
    new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(
          `${method} /large HTTP/1.1\r\nhost: x\r\naccept-encoding: ${coding}\r\nconnection: close\r\n\r\n`,
        ),
      )
      socket.on('data', (chunk) => (text += chunk.toString('latin1')))
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
  for (const [method, coding] of [
    ['GET', 'gzip'],
    ['GET', 'br'],
    ['HEAD', 'gzip'],
  ]) {
    const [head = '', content = ''] = (await answered(method!, coding!)).split('\r\n\r\n')
    const lengths = [...head.matchAll(/^content-length: (\d+)$/gim)].map(([, length]) => Number(length))
    expect([method, coding, lengths]).toEqual([method, coding, [expect.any(Number)]])
    if (method === 'GET') expect(Buffer.byteLength(content, 'latin1')).toBe(lengths[0])
    else expect(content).toBe('')
  }
})
