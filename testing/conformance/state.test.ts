import { beforeAll, describe, expect, it } from 'vitest'
import { expectedHere } from './harness/expected-here.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, type Driver } from './harness/sidecar.ts'

let dapr: Driver

beforeAll(async () => {
  dapr = await startSidecar({ hasPubsub: false, hasState: true })
})

const base = '/v1.0/state/statestore'
const json = { 'content-type': 'application/json' }
const post = (path: string, body: unknown, driver: Driver = dapr) =>
  driver.call(path, { method: 'POST', headers: json, body: JSON.stringify(body) })
const save = (...items: unknown[]) => post(base, items)
const get = (key: string, driver: Driver = dapr) => driver.call(`${base}/${key}`)
const remove = (key: string, etag?: string) =>
  dapr.call(`${base}/${key}`, { method: 'DELETE', ...(etag && { headers: { 'if-match': etag } }) })
const valueOf = async (key: string): Promise<unknown> => await (await get(key)).json()

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

  it('saves several items at once, by POST or PUT', async () => {
    const items = [1, 2].map((n) => ({ key: `many-${n}`, value: n }))
    const response = await dapr.call(base, { method: 'PUT', headers: json, body: JSON.stringify(items) })
    expect(response.status).toBe(204)
    expect([await valueOf('many-1'), await valueOf('many-2')]).toEqual([1, 2])
    expect((await save()).status).toBe(204)
  })

  it('keeps null apart from nothing', async () => {
    await saved('nil', null)
    const response = await get('nil')
    expect(response.status).toBe(200)
    expect(await response.json()).toBeNull()
  })

  it('keeps a text with a NUL', async () => {
    await saved('nul', 'a\0b')
    expect(await valueOf('nul')).toBe('a\0b')
  })

  it('gives every version another ETag', async () => {
    const [first, second] = [await saved('versions', 1), await saved('versions', 1)]
    expect(second).not.toBe(first)
  })

  it('keeps the keys of apps apart', async () => {
    await saved('mine', 'orders')
    const other = await startSidecar({ hasPubsub: false, hasState: true, beside: dapr })
    expect((await get('mine', other)).status).toBe(204)
  })

  it('reads many keys at once, the absent ones with nothing but their key', async () => {
    await saved('bulk-a', { a: 1 })
    const response = await post(`${base}/bulk`, { keys: ['bulk-a', 'bulk-none'], parallelism: 2 })
    expect(response.status).toBe(200)
    const items = (await response.json()) as { key: string }[]
    expect(items).toHaveLength(2)
    expect(items).toContainEqual({ key: 'bulk-a', data: { a: 1 }, etag: expect.any(String) as string })
    expect(items).toContainEqual({ key: 'bulk-none' })
    expect(await (await post(`${base}/bulk`, { keys: [] })).json()).toEqual([])
  })

  const malformed = '400 ERR_MALFORMED_REQUEST '
  const separator = (key: string) =>
    `${malformed}[DAPR_STATE_ILLEGAL_KEY] api error: code = InvalidArgument desc = input key/keyPrefix '${key}' can't contain '||'`

  it.each([
    [
      'an unknown store',
      'nowhere',
      '[]',
      '400 ERR_STATE_STORE_NOT_FOUND [DAPR_STATE_NOT_FOUND] state store nowhere is not found',
    ],
    [
      'a key with the separator of keys and apps',
      'statestore',
      '[{"key":"a||b","value":1}]',
      separator('a||b'),
    ],
    ['an item without key', 'statestore', '[{"value":1}]', `${malformed}"key" is a required field`],
    ['a body that is no list', 'statestore', '{"key":"a"}', malformed],
    ['a body that is no JSON', 'statestore', 'x', malformed],
    [
      'an unknown concurrency',
      'statestore',
      '[{"key":"a","options":{"concurrency":"maybe"}}]',
      "500 ERR_STATE_SAVE failed saving state in state store statestore: unrecognized concurrency model 'maybe'",
    ],
    ['no JSON to read many keys', 'statestore/bulk', 'x', `${malformed}failed deserializing HTTP body: `],
    [
      'no JSON for a transaction',
      'statestore/transaction',
      'x',
      `${malformed}failed deserializing HTTP body: `,
    ],
    [
      'a transaction with the separator in a key',
      'statestore/transaction',
      '{"operations":[{"operation":"upsert","request":{"key":"a||b"}}]}',
      separator('a||b'),
    ],
    [
      'an unknown operation in a transaction',
      'statestore/transaction',
      '{"operations":[{"operation":"increment","request":{"key":"x"}}]}',
      '400 ERR_NOT_SUPPORTED_STATE_OPERATION operation type increment not supported',
    ],
  ])('refuses %s', async (_, path, body, error) => {
    const response = await dapr.call(`/v1.0/state/${path}`, { method: 'POST', headers: json, body })
    expect((await refusalOf(response)).slice(0, error.length)).toBe(error)
  })

  it('refuses to read or delete a key with the separator', async () => {
    expect(await refusalOf(await get('a%7C%7Cb'))).toBe(separator('a||b'))
    expect(await refusalOf(await remove('a%7C%7Cb'))).toBe(separator('a||b'))
  })

  it('answers 500 when no store is configured', async () => {
    const bare = await startSidecar({ hasPubsub: false })
    expect(await refusalOf(await get('x', bare))).toBe(
      '500 ERR_STATE_STORE_NOT_CONFIGURED [DAPR_STATE_NOT_CONFIGURED] state store statestore is not configured',
    )
  })
})

describe('state with an ETag', () => {
  it('is written only over the version it names', async () => {
    const etag = await saved('guarded', 1)
    expect((await save({ key: 'guarded', value: 2, etag })).status).toBe(204)
    const refusal = await refusalOf(await save({ key: 'guarded', value: 3, etag }))
    expect(refusal).toMatch(
      /^409 ERR_STATE_SAVE failed saving state in state store statestore: possible etag mismatch\. error from state store/,
    )
    expect(await valueOf('guarded')).toBe(2)
  })

  it('is deleted only in the version it names', async () => {
    const etag = await saved('guarded-too', 1)
    await saved('guarded-too', 2)
    expect(await refusalOf(await remove('guarded-too', etag))).toMatch(
      /^409 ERR_STATE_DELETE failed deleting state with key guarded-too: possible etag mismatch\. error from state store/,
    )
    expect((await remove('guarded-too', (await get('guarded-too')).headers.get('etag')!)).status).toBe(204)
    expect((await get('guarded-too')).status).toBe(204)
  })

  it('takes a text that is no ETag for one that does not match', async () => {
    await saved('odd', 1)
    const status = (await save({ key: 'odd', value: 2, etag: 'words' })).status
    expect(status).toBe(expectedHere('state.odd-etag', 409))
    expect(await valueOf('odd')).toBe(1)
  })

  it('is not created', async () => {
    const gone = await saved('gone', 1)
    expect((await remove('gone')).status).toBe(204)
    expect((await save({ key: 'gone', value: 2, etag: gone })).status).toBe(
      expectedHere('state.etag-of-nothing', 409),
    )
  })

  it('makes a mismatch of a save of several items, and the others are saved', async () => {
    const etag = await saved('several', 1)
    await saved('several', 2)
    const response = await save({ key: 'several-side', value: 1 }, { key: 'several', value: 3, etag })
    expect(await refusalOf(response)).toMatch(/^409 ERR_STATE_SAVE .*possible etag mismatch/)
    expect(await valueOf('several')).toBe(2)
    expect(await valueOf('several-side')).toBe(1)
  })

  it('lets one of 50 concurrent writes with the same ETag win', async () => {
    const etag = await saved('race-2', 'start')
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, value) => save({ key: 'race-2', value, etag })),
    )
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49)
  })
})

describe('a first write', () => {
  const first = (key: string, value: unknown) => ({ key, value, options: { concurrency: 'first-write' } })

  it('lets one of 50 at once win, and tells the others 500', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => save(first('race', n))))
    const winners = answers.flatMap(({ status }, n) => (status === 204 ? [n] : []))
    expect(winners).toHaveLength(1)
    expect(await valueOf('race')).toBe(winners[0])
    // 500 and not 409: a store knows no conflict without an ETag.
    expect(answers.filter(({ status }) => status === 500)).toHaveLength(49)
  })

  it('says why it comes second', async () => {
    await save(first('second', 1))
    const refusal = await refusalOf(await save(first('second', 2)))
    expect(refusal).toMatch(/^500 ERR_STATE_SAVE failed saving state in state store statestore: /)
    // The words by which the client tells a conflict from a failure (shared/dapr/state.ts).
    expect(refusal).toMatch(/no item was updated|user_script/)
  })

  it('does not replace what any other write has left', async () => {
    await saved('taken', 'before')
    const status = (await save(first('taken', 'after'))).status
    const got = { status, value: await valueOf('taken') }
    expect(got).toEqual(expectedHere('state.first-write-over-last-write', { status: 500, value: 'before' }))
  })

  it('may follow a deletion', async () => {
    await saved('cleared', 1)
    await remove('cleared')
    expect((await save(first('cleared', 2))).status).toBe(204)
    expect(await valueOf('cleared')).toBe(2)
  })
})

describe('a state transaction', () => {
  const transact = (...operations: unknown[]) => post(`${base}/transaction`, { operations })
  const upsert = (key: string, value: unknown, more: object = {}) => ({
    operation: 'upsert',
    request: { key, value, ...more },
  })

  it('applies all operations', async () => {
    await saved('t-old', 1)
    const response = await transact(upsert('t-new', 2), { operation: 'delete', request: { key: 't-old' } })
    expect(response.status).toBe(204)
    expect(await valueOf('t-new')).toBe(2)
    expect((await get('t-old')).status).toBe(204)
    expect((await transact()).status).toBe(204)
  })

  it('applies none when an ETag does not match, and answers 500', async () => {
    const etag = await saved('t-guarded', 1)
    await saved('t-guarded', 2)
    const response = await transact(upsert('t-side', 1), upsert('t-guarded', 3, { etag }))
    const refusal = await refusalOf(response)
    expect(refusal).toMatch(/^500 ERR_STATE_TRANSACTION error while executing state transaction: /)
    // The words by which the client tells a conflict from a failure (shared/dapr/state.ts).
    expect(refusal).toMatch(/possible etag mismatch|user_script/)
    expect(await valueOf('t-guarded')).toBe(2)
    expect((await get('t-side')).status).toBe(expectedHere('state.transaction-rollback', 204))
  })

  it('deletes only the version that an ETag names', async () => {
    const etag = await saved('t-deleted', 1)
    await saved('t-deleted', 2)
    const stale = {
      operation: 'delete',
      request: { key: 't-deleted', etag, options: { concurrency: 'first-write' } },
    }
    expect((await transact(stale)).status).toBe(500)
    expect(await valueOf('t-deleted')).toBe(2)
  })

  it('refuses a first write that comes second', async () => {
    await save({ key: 't-first', value: 1, options: { concurrency: 'first-write' } })
    const again = upsert('t-first', 2, { options: { concurrency: 'first-write' } })
    expect(await refusalOf(await transact(again))).toMatch(
      /^500 ERR_STATE_TRANSACTION .*(no item was updated|user_script)/,
    )
    expect(await valueOf('t-first')).toBe(1)
  })
})

describe('time to live', () => {
  const brief = (key: string, seconds: string) => ({ key, value: 1, metadata: { ttlInSeconds: seconds } })

  it('ends a value, and a first write may follow', async () => {
    expect((await save(brief('brief', '1'))).status).toBe(204)
    expect((await get('brief')).status).toBe(200)
    await eventually(async () => expect((await get('brief')).status).toBe(204))
    const again = { key: 'brief', value: 2, options: { concurrency: 'first-write' } }
    expect((await save(again)).status).toBe(204)
    expect(await valueOf('brief')).toBe(2)
  })

  it('is told with the value', async () => {
    const before = Date.now()
    await save(brief('told', '60'))
    const told = (await get('told')).headers.get('metadata.ttlexpiretime')
    const seconds = told === null ? null : Math.round((Date.parse(told) - before) / 1000)
    const usual = expect.closeTo(60, -0.7) as number
    expect(seconds).toEqual(expectedHere<number | null>('state.ttl-told', usual))
  })

  it('goes away with a save that has none', async () => {
    await save(brief('kept', '1'))
    await save({ key: 'kept', value: 2 })
    await save(brief('kept-clock', '1'))
    await eventually(async () => expect((await get('kept-clock')).status).toBe(204))
    expect((await get('kept')).status).toBe(expectedHere('state.ttl-removed', 200))
  })

  it.each(['soon', '1.5'])('is refused when it is "%s"', async (seconds) => {
    expect(await refusalOf(await save(brief('bad', seconds)))).toMatch(
      new RegExp(`^500 ERR_STATE_SAVE .*strconv.ParseInt: parsing "${seconds}": invalid syntax$`),
    )
  })

  it('is refused when it is below -1', async () => {
    const status = (await save(brief('bad', '-2'))).status
    expect(status).toBe(expectedHere('state.negative-ttl', 500))
  })
})
