import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()
const Note = z.object({ text: z.string() })

describe('state.get', () => {
  it('gives the value, checked, with its ETag and escapes the key', async () => {
    const seen = answerWith(json({ text: 'hello' }, { headers: { ETag: '7' } }))
    expect(await dapr.state.get('statestore', 'conversation:u/1:s+1', Note)).toEqual({
      value: { text: 'hello' },
      etag: '7',
    })
    expect(seen[0]).toMatchObject({
      method: 'GET',
      target: '/v1.0/state/statestore/conversation%3Au%2F1%3As%2B1',
    })
  })

  it('gives null on 204', async () => {
    answerWith(noContent)
    expect(await dapr.state.get('statestore', 'k', Note)).toBeNull()
  })

  it.each([
    ['is not JSON', () => new Response('{"text": "my secret diary', { headers: { ETag: '1' } })],
    ['has another shape', json({ text: { diary: 'my secret diary' } }, { headers: { ETag: '1' } })],
    ['has no ETag', json({ text: 'my secret diary' })],
  ])('says `malformed` and keeps the value to itself when the answer %s', async (_, answer) => {
    answerWith(answer)
    const error: unknown = await dapr.state.get('statestore', 'k', Note).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'malformed', status: 200, body: '' })
    expect(inspect(error)).not.toContain('diary')
  })
})

describe('state.bulkGet', () => {
  it('gives what is stored by key and leaves out what is not', async () => {
    const seen = answerWith(json([{ key: 'a', data: { text: 'x' }, etag: '1' }, { key: 'b' }]))
    expect(await dapr.state.bulkGet('statestore', ['a', 'b'], Note)).toEqual(
      new Map([['a', { value: { text: 'x' }, etag: '1' }]]),
    )
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/state/statestore/bulk' })
    expect(seen[0]?.json()).toEqual({ keys: ['a', 'b'] })
  })

  it.each([
    ['a key failed', [{ key: 'a', error: 'timeout' }], 'refused'],
    ['a value has another shape', [{ key: 'a', data: 1, etag: '1' }], 'malformed'],
    ['a value has no ETag', [{ key: 'a', data: { text: 'x' } }], 'malformed'],
    ['the answer is no list', { a: 1 }, 'malformed'],
  ])('throws when %s, so that it does not pass for absent', async (_, answer, kind) => {
    answerWith(json(answer))
    await expect(dapr.state.bulkGet('statestore', ['a'], Note)).rejects.toMatchObject({ kind })
  })
})

describe('state.save', () => {
  it.each([
    ['over whatever is there', {}, { key: 'k', value: { a: 1 } }],
    [
      'over one version',
      { etag: '7' },
      { key: 'k', value: { a: 1 }, etag: '7', options: { concurrency: 'first-write' } },
    ],
    [
      'only where nothing is',
      { etag: null },
      { key: 'k', value: { a: 1 }, options: { concurrency: 'first-write' } },
    ],
    ['for a time', { ttlSeconds: 60 }, { key: 'k', value: { a: 1 }, metadata: { ttlInSeconds: '60' } }],
  ])('writes %s', async (_, options, item) => {
    const seen = answerWith(noContent)
    await dapr.state.save('statestore', 'k', { a: 1 }, options)
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/state/statestore' })
    expect(seen[0]?.json()).toEqual([item])
  })
})

describe('state.delete', () => {
  it('deletes whatever is there', async () => {
    const seen = answerWith(noContent)
    await dapr.state.delete('statestore', 'k')
    expect(seen[0]).toMatchObject({ method: 'DELETE', target: '/v1.0/state/statestore/k' })
    expect(seen[0]?.headers.get('if-match')).toBeNull()
  })

  it('deletes one version only', async () => {
    const seen = answerWith(noContent)
    await dapr.state.delete('statestore', 'k', { etag: '7' })
    expect(seen[0]?.target).toBe('/v1.0/state/statestore/k?concurrency=first-write')
    expect(seen[0]?.headers.get('if-match')).toBe('7')
  })
})

describe('state.transaction', () => {
  it('sends all operations in one request', async () => {
    const seen = answerWith(noContent)
    await dapr.state.transaction('statestore', [
      { operation: 'upsert', key: 'a', value: 1, etag: '7', ttlSeconds: 5 },
      { operation: 'delete', key: 'b', etag: '8' },
      { operation: 'delete', key: 'c' },
    ])
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/state/statestore/transaction' })
    const firstWrite = { concurrency: 'first-write' }
    expect(seen[0]?.json()).toEqual({
      operations: [
        {
          operation: 'upsert',
          request: { key: 'a', value: 1, etag: '7', options: firstWrite, metadata: { ttlInSeconds: '5' } },
        },
        { operation: 'delete', request: { key: 'b', etag: '8', options: firstWrite } },
        { operation: 'delete', request: { key: 'c' } },
      ],
    })
  })
})

describe('a write that lost the race', () => {
  const save = () => dapr.state.save('statestore', 'k', 1, { etag: '7' })
  const remove = () => dapr.state.delete('statestore', 'k', { etag: '7' })
  const transaction = () =>
    dapr.state.transaction('statestore', [{ operation: 'upsert', key: 'k', value: 1, etag: '7' }])
  const mismatch = 'possible etag mismatch. error from state store'

  it.each([
    ['409 to a save', save, daprFailure(409, 'ERR_STATE_SAVE', mismatch)],
    ['409 to a delete', remove, daprFailure(409, 'ERR_STATE_DELETE', mismatch)],
    ['500 to a transaction', transaction, daprFailure(500, 'ERR_STATE_TRANSACTION', mismatch)],
    [
      '500 to a transaction, far into a long text',
      transaction,
      daprFailure(500, 'ERR_STATE_TRANSACTION', 'k'.repeat(400) + mismatch),
    ],
    ['500 of PostgreSQL to a first write', save, daprFailure(500, 'ERR_STATE_SAVE', 'no item was updated')],
    [
      '500 of Redis to a first write',
      save,
      daprFailure(500, 'ERR_STATE_SAVE', 'ERR user_script:11: failed to set key k script: 8f'),
    ],
  ])('is a conflict when the sidecar answers %s', async (_, write, answer) => {
    answerWith(answer)
    await expect(write()).rejects.toMatchObject({
      kind: 'conflict',
      errorCode: expect.stringMatching(/^ERR_STATE_/),
    })
  })

  it.each([
    [
      'another failure of the store',
      transaction,
      daprFailure(500, 'ERR_STATE_TRANSACTION', 'connection refused'),
    ],
    ['an ETag that the store cannot read', save, daprFailure(400, 'ERR_STATE_SAVE', 'invalid etag value')],
    ['another error in similar words', save, daprFailure(500, 'ERR_STATE_STORE_NOT_CONFIGURED', mismatch)],
  ])('is not mistaken for %s', async (_, write, answer) => {
    answerWith(answer)
    await expect(write()).rejects.toMatchObject({ kind: 'refused' })
  })
})
