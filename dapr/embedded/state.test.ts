import { beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../../shared/db/connect.ts'
import { testDatabase } from '../../shared/testing/database.ts'
import { embeddedSidecar, errorOf, type Driver } from './testing/embedded-sidecar.ts'
import { createManualTime } from './testing/manual-time.ts'

let sql: Sql
let dapr: Driver

beforeAll(async () => {
  sql = await testDatabase()
  dapr = await embeddedSidecar(sql)
})

const base = '/v1.0/state/statestore'
const post = (path: string, body: unknown, driver: Driver = dapr) =>
  driver.call(path, { method: 'POST', body: JSON.stringify(body) })
const save = (...items: unknown[]) => post(base, items)
const get = (key: string, driver: Driver = dapr) => driver.call(`${base}/${key}`)
const remove = (key: string, etag?: string) =>
  dapr.call(`${base}/${key}`, { method: 'DELETE', ...(etag && { headers: { 'if-match': etag } }) })

async function saved(key: string, value: unknown): Promise<string> {
  expect((await save({ key, value })).status).toBe(204)
  return (await get(key)).headers.get('etag')!
}

describe('state', () => {
  it('answers what was saved, with an ETag, as JSON', async () => {
    await saved('task', { title: 'Grüße', n: 1.5, list: [null, true] })
    const response = await get('task')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('etag')).toBeTruthy()
    expect(await response.json()).toEqual({ title: 'Grüße', n: 1.5, list: [null, true] })
  })

  it('answers 204 for what is absent or deleted', async () => {
    expect((await get('nothing')).status).toBe(204)
    await saved('short-lived', 1)
    expect((await remove('short-lived')).status).toBe(204)
    expect((await get('short-lived')).status).toBe(204)
    expect((await remove('short-lived')).status).toBe(204)
  })

  it('gives every version another ETag', async () => {
    const [first, second] = [await saved('versions', 1), await saved('versions', 1)]
    expect(second).not.toBe(first)
  })

  it('keeps the keys of apps apart', async () => {
    await saved('mine', 'orders')
    const other = await embeddedSidecar(sql, { appId: 'other' })
    expect((await get('mine', other)).status).toBe(204)
  })

  it('keeps a text with a NUL', async () => {
    await saved('nul', 'a\0b')
    expect(await (await get('nul')).json()).toBe('a\0b')
  })

  describe('with an ETag', () => {
    it('writes only over the version it names', async () => {
      const etag = await saved('guarded', 1)
      expect((await save({ key: 'guarded', value: 2, etag })).status).toBe(204)
      const late = await save({ key: 'guarded', value: 3, etag })
      expect(late.status).toBe(409)
      const body = (await late.json()) as { errorCode: string; message: string }
      expect(body.errorCode).toBe('ERR_STATE_SAVE')
      expect(body.message).toContain('possible etag mismatch')
      expect(await (await get('guarded')).json()).toBe(2)
    })

    it('deletes only the version it names', async () => {
      const etag = await saved('guarded-too', 1)
      await saved('guarded-too', 2)
      const response = await remove('guarded-too', etag)
      expect(response.status).toBe(409)
      expect(await response.json()).toMatchObject({ errorCode: 'ERR_STATE_DELETE' })
      expect((await remove('guarded-too', (await get('guarded-too')).headers.get('etag')!)).status).toBe(204)
    })

    it('takes text that is no ETag for one that does not match, as the PostgreSQL store does', async () => {
      await saved('odd', 1)
      expect((await save({ key: 'odd', value: 2, etag: '999' })).status).toBe(409)
    })

    it('does not create', async () => {
      expect((await save({ key: 'absent', value: 1, etag: crypto.randomUUID() })).status).toBe(409)
    })
  })

  it('lets one of 50 concurrent first writes win', async () => {
    const write = (value: number) => save({ key: 'race', value, options: { concurrency: 'first-write' } })
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => write(n)))
    const winners = answers.flatMap(({ status }, n) => (status === 204 ? [n] : []))
    expect(winners).toHaveLength(1)
    expect(await (await get('race')).json()).toBe(winners[0])
    // 500 and not 409: the PostgreSQL store knows no conflict without an ETag.
    expect(answers.filter(({ status }) => status === 500)).toHaveLength(49)
  })

  it('lets one of 50 concurrent writes with the same ETag win', async () => {
    const etag = await saved('race-2', 'start')
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, value) => save({ key: 'race-2', value, etag })),
    )
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49)
  })

  it('reads many keys at once, the absent ones with nothing but their key', async () => {
    await saved('bulk-a', { a: 1 })
    const response = await post(`${base}/bulk`, { keys: ['bulk-a', 'bulk-none'], parallelism: 2 })
    expect(response.status).toBe(200)
    const items = (await response.json()) as { key: string }[]
    expect(items).toContainEqual({ key: 'bulk-a', data: { a: 1 }, etag: expect.any(String) as string })
    expect(items).toContainEqual({ key: 'bulk-none' })
  })

  describe('transaction', () => {
    const transact = (...operations: unknown[]) => post(`${base}/transaction`, { operations })
    const upsert = (key: string, value: unknown, etag?: string) => ({
      operation: 'upsert',
      request: { key, value, etag },
    })

    it('applies all operations', async () => {
      await saved('t-old', 1)
      expect(
        (await transact(upsert('t-new', 2), { operation: 'delete', request: { key: 't-old' } })).status,
      ).toBe(204)
      expect(await (await get('t-new')).json()).toBe(2)
      expect((await get('t-old')).status).toBe(204)
    })

    it('applies none when an ETag does not match, and answers 500', async () => {
      const etag = await saved('t-guarded', 1)
      await saved('t-guarded', 2)
      const response = await transact(upsert('t-side', 1), upsert('t-guarded', 3, etag))
      expect(response.status).toBe(500)
      const body = (await response.json()) as { errorCode: string; message: string }
      expect(body.errorCode).toBe('ERR_STATE_TRANSACTION')
      expect(body.message).toContain('possible etag mismatch')
      expect((await get('t-side')).status).toBe(204)
      expect(await (await get('t-guarded')).json()).toBe(2)
    })

    it('refuses an unknown operation', async () => {
      const response = await transact({ operation: 'increment', request: { key: 'x' } })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ errorCode: 'ERR_NOT_SUPPORTED_STATE_OPERATION' })
    })
  })

  it('forgets a value when its time to live is over, and says when that is', async () => {
    const time = createManualTime('2026-05-01T12:00:00Z')
    const driver = await embeddedSidecar(sql, { appId: 'ttl', clock: time, delay: time.delay })
    await post(base, [{ key: 'brief', value: 1, metadata: { ttlInSeconds: '60' } }], driver)
    const before = await get('brief', driver)
    expect(before.status).toBe(200)
    expect(before.headers.get('metadata.ttlexpiretime')).toBe('2026-05-01T12:01:00Z')
    await time.advance(61_000)
    expect((await get('brief', driver)).status).toBe(204)
    const again = { key: 'brief', value: 2, options: { concurrency: 'first-write' } }
    expect((await post(base, [again], driver)).status).toBe(204)
    await time.advance(3_600_000)
    expect(await (await get('brief', driver)).json()).toBe(2)
  })

  it('refuses a key with the separator of keys and apps', async () => {
    expect(await errorOf(await get('a%7C%7Cb'))).toBe('400 ERR_MALFORMED_REQUEST')
  })

  it.each([
    ['an unknown store', 'nowhere', '[]', '400 ERR_STATE_STORE_NOT_FOUND'],
    ['a key with the separator', 'statestore', '[{"key":"a||b","value":1}]', '400 ERR_MALFORMED_REQUEST'],
    ['an item without key', 'statestore', '[{"value":1}]', '400 ERR_MALFORMED_REQUEST'],
    ['a body that is no list', 'statestore', '{"key":"a"}', '400 ERR_MALFORMED_REQUEST'],
    [
      'an unknown concurrency',
      'statestore',
      '[{"key":"a","options":{"concurrency":"maybe"}}]',
      '500 ERR_STATE_SAVE',
    ],
    [
      'a ttl that is none',
      'statestore',
      '[{"key":"a","metadata":{"ttlInSeconds":"soon"}}]',
      '500 ERR_STATE_SAVE',
    ],
  ])('refuses to save with %s', async (_, store, body, error) => {
    expect(await errorOf(await dapr.call(`/v1.0/state/${store}`, { method: 'POST', body }))).toBe(error)
  })
})
