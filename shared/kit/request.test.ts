import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TaskInput } from '../domain/tasks/task.ts'
import { OPEN } from '../../testing/builders/open-function.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { httpFunction } from './http-function.ts'
import { mountFunctions } from './mount-functions.ts'
import { MAX_BODY_VALUES } from './request.ts'
import { systemIds } from './system.ts'

const writing = { ...OPEN, auth: 'tasks:write' } as const
const echo = httpFunction({
  ...writing,
  route: 'POST /api/echo',
  body: z.json(),
  handle: async ({ body }) => ({ body: { got: body } }),
})
const check = httpFunction({
  ...writing,
  route: 'POST /api/check',
  body: TaskInput,
  handle: async ({ body }) => ({ body: { title: body.title } }),
})
const begin = httpFunction({ ...writing, route: 'POST /api/begin' })
const guard = httpFunction({
  ...writing,
  route: 'PATCH /api/guarded/:id',
  params: z.object({ id: z.string() }),
  body: z.json(),
  retrySafe: true,
  handle: async ({ write: { ifMatch, ifNoneMatch } }) => ({ body: { ifMatch, ifNoneMatch } }),
})
const { deps } = await testDaybook()
const app = mountFunctions([echo, check, begin, guard], deps)
const token = { authorization: `Bearer ${tokenOf(systemIds.uuid())}` }
const json = { ...token, 'content-type': 'application/json' }

const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
  app.request(path, { method: 'POST', headers: { ...json, ...headers }, body })
const statusOf = async (body: string) => (await post('/api/echo', body)).status

describe('a JSON body', () => {
  const list = (count: number, item: string) => `[${Array.from({ length: count }, () => item).join(',')}]`
  const fields = (count: number) =>
    `{${Array.from({ length: count }, (_, n) => `"nobody_knows_${n}":1`).join(',')}}`

  it.each([
    ['as many values as are allowed', list(MAX_BODY_VALUES, '1'), 200],
    ['one more', list(MAX_BODY_VALUES + 1, '1'), 413],
    ['half a million numbers', list(500_000, '1'), 413],
    ['lists in lists in lists', '['.repeat(500_000) + ']'.repeat(500_000), 413],
    ['a text of commas', JSON.stringify(',['.repeat(100_000)), 200],
    ['a text of quotes and backslashes', JSON.stringify('\\",["'.repeat(50_000)), 200],
    ['a megabyte that is no JSON', '"'.repeat(1_000_000), 400],
  ])('of %s', async (_name, body, status) => {
    expect(await statusOf(body)).toBe(status)
  })

  it.each([
    ['80,000 unknown fields', fields(40_000), 413],
    ['11,000 unknown fields', fields(11_000), 422],
    ['an unknown field with a name of a megabyte', JSON.stringify({ ['x'.repeat(1_000_000)]: 1 }), 422],
    ['a text for a list', JSON.stringify({ title: 'x', tags: 'x'.repeat(1_000_000) }), 422],
    ['10,000 tags that are none', `{"title":"x","tags":${list(10_000, '7')}}`, 422],
    ['a priority of a megabyte', JSON.stringify({ title: 'x', priority: 'x'.repeat(1_000_000) }), 422],
  ])('of %s gets a short answer', async (_name, body, status) => {
    const answer = await post('/api/check', body)
    expect(answer.status).toBe(status)
    expect((await answer.text()).length).toBeLessThan(4000)
  })

  it.each(['gzip', 'br', 'x-unheard-of', 'gzip, identity'])(
    'compressed as %j is refused, whatever the path makes of it, and told what is taken',
    async (coding) => {
      for (const path of ['/api/echo', '/api/begin']) {
        const answer = await post(path, gzipSync('{"title":"x"}'), { 'content-encoding': coding })
        expect([answer.status, answer.headers.get('accept-encoding')]).toEqual([415, 'identity'])
        expect(await answer.json()).toMatchObject({ code: 'request.unsupported_encoding' })
      }
    },
  )

  it('may say that it is not compressed', async () => {
    for (const coding of ['Identity', '', ' '])
      expect((await post('/api/echo', '{}', { 'content-encoding': coding })).status).toBe(200)
    const chunked = await post('/api/echo', '{}', { 'transfer-encoding': 'gzip, chunked' })
    expect(chunked.status).toBe(415)
  })

  it('of another media type is told which there are', async () => {
    const headers = { ...token, 'content-type': 'text/plain' }
    const ask = (method: string, path: string) => app.request(path, { method, headers, body: '{}' })
    const patch = await ask('PATCH', '/api/guarded/1')
    expect([patch.status, patch.headers.get('accept-patch')]).toEqual([
      415,
      'application/json, application/merge-patch+json',
    ])
    const posted = await ask('POST', '/api/echo')
    expect([posted.status, posted.headers.get('accept')]).toEqual([415, 'application/json'])
  })
})

describe('no body', () => {
  it.each([{}, json])('where fields are required is told which (%j)', async (headers) => {
    const answer = await app.request('/api/check', { method: 'POST', headers: { ...token, ...headers } })
    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({ errors: [{ path: 'title', message: 'is required' }] })
  })

  it('where none is required is no empty one', async () => {
    const answer = await app.request('/api/echo', { method: 'POST', headers: token })
    expect([answer.status, await answer.json()]).toMatchObject([422, { detail: 'the body is required' }])
  })
})

describe('a write that takes no body', () => {
  it.each([
    ['', 200],
    [' ', 200],
    ['{}', 200],
    ['{"done":true}', 422],
  ])('answers the body %j with %i', async (body, status) => {
    const answer = await app.request('/api/begin', { method: 'POST', headers: { ...token, ...json }, body })
    expect(answer.status).toBe(status)
    if (status === 422)
      expect(await answer.json()).toMatchObject({
        errors: [{ path: 'done', message: 'is not a known field' }],
      })
  })
})

describe('OPTIONS', () => {
  it('tells the methods of a path, and what PATCH takes', async () => {
    const answer = await app.request('/api/guarded/1', { method: 'OPTIONS' })
    expect([answer.status, answer.headers.get('allow'), answer.headers.get('accept-patch')]).toEqual([
      204,
      'PATCH',
      'application/json, application/merge-patch+json',
    ])
    const posting = await app.request('/api/echo', { method: 'OPTIONS' })
    expect([posting.status, posting.headers.get('allow'), posting.headers.get('accept-patch')]).toEqual([
      204,
      'POST',
      null,
    ])
    expect((await app.request('/api/nothing', { method: 'OPTIONS' })).status).toBe(404)
  })
})

describe('preconditions', () => {
  async function guarded(headers: Record<string, string>) {
    const answer = await app.request('/api/guarded/1', {
      method: 'PATCH',
      headers: { ...json, ...headers },
      body: '{}',
    })
    return answer.status === 200 ? await answer.json() : answer.status
  }

  it.each([
    ['"4"', [4]],
    ['"4","5"', [4, 5]],
    ['  "4" \t,\t "5"  ', [4, 5]],
    [',"4",, ,"5",', [4, 5]],
    ['"4,5", "6"', [6]],
    ['"a,b"', []],
    ['W/"4", "5"', [5]],
    ['""', []],
    [' * ', null],
  ])('If-Match: %s names the versions %j', async (header, versions) => {
    expect(await guarded({ 'if-match': header })).toEqual({ ifMatch: versions, ifNoneMatch: [] })
  })

  it.each(['', ' ', ',', ', ,\t,', '4', '"4', '"4" "5"', '"4", *', '*, "4"', 'w/"4"', '"4";"5"', '"4"x'])(
    'If-Match: %j is refused, as in If-None-Match',
    async (header) => {
      expect(await guarded({ 'if-match': header })).toBe(400)
      expect(await guarded({ 'if-none-match': header })).toBe(400)
    },
  )

  it('If-None-Match of a write compares weakly, and * leaves no version', async () => {
    expect(await guarded({ 'if-none-match': ' W/"4", ,"5"' })).toEqual({ ifMatch: null, ifNoneMatch: [4, 5] })
    expect(await guarded({ 'if-none-match': '*', 'if-match': '"1"' })).toEqual({
      ifMatch: [],
      ifNoneMatch: [],
    })
  })

  it('of sixteen thousand blanks are read at once', async () => {
    expect(await guarded({ 'if-match': `"4"${' '.repeat(16_000)}x` })).toBe(400)
    expect(await guarded({ 'if-match': `${' ,'.repeat(8000)}"4"` })).toEqual({
      ifMatch: [4],
      ifNoneMatch: [],
    })
  })
})
