import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp } from '../sidecar/recording-app.ts'
import { expectedHere } from './harness/expected-here.ts'
import { currentProfile } from './harness/profile.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

const run = unique('publish')
const on = (topic: string) => `${run}-${topic}`
const json = { 'content-type': 'application/json' }
const cloudEvent = { 'content-type': 'application/cloudevents+json' }
const TOPICS = [
  'wrapped',
  'text',
  'untyped',
  'unreadable',
  'binary',
  'kept',
  'completed',
  'named',
  'traced',
  'own-trace',
  'header',
  'number',
  'ttl',
  'bulk',
  'bulk-metadata',
  'bulk-text',
  'bulk-kept',
  'poisoned',
  'put',
  'large',
]

let dapr: Driver

beforeAll(async () => {
  const app = createRecordingApp()
  app.subscriptions = TOPICS.map((topic) => ({ pubsubname: 'pubsub', topic: on(topic), route: `/${topic}` }))
  const raw = { pubsubname: 'pubsub', topic: on('raw'), route: '/raw', metadata: { rawPayload: 'true' } }
  app.subscriptions.push(raw)
  dapr = await startSidecar({ app })
})

const send = (path: string, body: string, headers: Record<string, string> = json) =>
  dapr.call(`/v1.0/publish/${path}`, { method: 'POST', body, headers })

/** Publishes, expects 204, and answers what the app got on that topic's route. */
async function delivered(topic: string, body: string, headers: Record<string, string> = json, query = '') {
  const before = dapr.app.calls(`/${topic}`).length
  const response = await send(`pubsub/${on(topic)}${query}`, body, headers)
  expect(response.status).toBe(204)
  return await eventually(() => {
    const call = dapr.app.calls(`/${topic}`)[before]
    expect(call).toBeDefined()
    return { call: call!, event: JSON.parse(call!.body) as Record<string, unknown> }
  })
}

describe('publish', () => {
  it('wraps JSON in a CloudEvent and delivers it to the route', async () => {
    const { call, event } = await delivered('wrapped', '{"a":1}')
    expect(call.method).toBe('POST')
    expect(call.headers.get('content-type')).toBe('application/cloudevents+json')
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'com.dapr.event.sent',
      source: dapr.appId,
      topic: on('wrapped'),
      pubsubname: 'pubsub',
      datacontenttype: 'application/json',
      data: { a: 1 },
    })
    expect(event.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/)
  })

  it('takes PUT for POST', async () => {
    const init = { method: 'PUT', body: '{}', headers: json }
    expect((await dapr.call(`/v1.0/publish/pubsub/${on('put')}`, init)).status).toBe(204)
    await eventually(() => expect(dapr.app.calls('/put')).toHaveLength(1))
  })

  it('makes a text of a body with another content type', async () => {
    const { event } = await delivered('text', '{"a":1}', { 'content-type': 'text/plain' })
    expect(event.data).toBe('{"a":1}')
  })

  it('makes a text of JSON that is none', async () => {
    expect((await delivered('unreadable', '{"a":')).event.data).toBe('{"a":')
  })

  it('makes base64 of a binary body', async () => {
    const { event } = await delivered('binary', 'abc', { 'content-type': 'application/octet-stream' })
    expect(event).toMatchObject({ data_base64: 'YWJj' })
    expect(event).not.toHaveProperty('data')
  })

  it('keeps a CloudEvent with its id, time and extensions, whatever it says about the topic', async () => {
    const given = {
      id: 'e1',
      type: 'task.created',
      source: '/services/tasks',
      specversion: '1.0',
      time: '2026-03-01T08:00:00.123Z',
      userid: 'u1',
      data: { b: 2 },
    }
    const { event } = await delivered('kept', JSON.stringify({ ...given, topic: 'forged' }), cloudEvent)
    expect(event).toMatchObject({ ...given, topic: on('kept'), pubsubname: 'pubsub' })
  })

  it('completes a CloudEvent, but makes no id for it', async () => {
    const { event } = await delivered('completed', '{"data":1}', cloudEvent)
    expect(event).toMatchObject({ source: 'Dapr', type: 'com.dapr.event.sent', specversion: '1.0' })
    expect(event).not.toHaveProperty('id')
  })

  it('takes attributes of the event from metadata', async () => {
    const query =
      '?metadata.cloudevent.id=mine&metadata.cloudevent.type=task.created&metadata.cloudevent.subject=task/1'
    const { event } = await delivered('named', '{}', json, query)
    expect(event).toMatchObject({ id: 'mine', type: 'task.created', subject: 'task/1' })
    const kept = await delivered('named', '{"id":"own","type":"own"}', cloudEvent, query)
    expect(kept.event).toMatchObject({ id: 'own', type: 'own' })
  })

  it('carries the trace of the publisher to the consumer', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${trace}-b7ad6b7169203331-01`
    const { call, event } = await delivered('traced', '{}', { ...json, traceparent })
    expect(String(event.traceparent)).toContain(trace)
    expect(call.headers.get('traceparent')).toContain(trace)
  })

  it('carries the trace that a CloudEvent names in traceid and traceparent', async () => {
    const trace = '1af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${trace}-b7ad6b7169203331-01`
    const given = JSON.stringify({ id: 'e2', traceid: traceparent, traceparent, data: {} })
    const { call, event } = await delivered('own-trace', given, cloudEvent)
    expect(event).toMatchObject({ traceid: traceparent, traceparent })
    expect(call.headers.get('traceparent')).toContain(trace)
  })

  it('hands the partition key and the publish metadata to the consumer as headers', async () => {
    const query = '?metadata.partitionKey=user-1&metadata.reason=tested'
    const { call } = await delivered('header', '{}', json, query)
    const got = {
      __key: call.headers.get('__key'),
      __topic: call.headers.get('__topic'),
      hasOffset: /^\d+$/.test(call.headers.get('__offset') ?? ''),
      reason: call.headers.get('reason'),
      pubsubname: call.headers.get('pubsubname'),
    }
    const usual = {
      __key: 'user-1',
      __topic: on('header'),
      hasOffset: true,
      reason: 'tested',
      pubsubname: 'pubsub',
    }
    expect(got).toEqual(expectedHere('delivery.headers', usual))
  })

  it('does not round large numbers', async () => {
    const { call } = await delivered('number', '{"n":12345678901234567890}')
    expect(call.body).toContain('12345678901234567890')
  })

  it('keeps large numbers of a CloudEvent', async () => {
    const { call } = await delivered('number', '{"id":"n","data":{"n":12345678901234567890}}', cloudEvent)
    expect(call.body.includes('12345678901234567890')).toBe(expectedHere('publish.event-numbers', true))
  })

  it('marks an event with the end of its time to live', async () => {
    const { event } = await delivered('ttl', '{}', json, '?metadata.ttlInSeconds=3600')
    const lifeMs = Date.parse(String(event.expiration)) - Date.parse(String(event.time))
    expect(lifeMs).toBeGreaterThan(3_590_000)
    expect(lifeMs).toBeLessThan(3_610_000)
  })

  it('sends a raw payload as it is and wraps it for the subscriber', async () => {
    const plain = { 'content-type': 'text/plain' }
    const { event } = await delivered('raw', 'plain words', plain, '?metadata.rawPayload=true')
    expect(event).toMatchObject({ data_base64: Buffer.from('plain words').toString('base64') })
    expect(event).not.toHaveProperty('data')
  })

  it('takes a partition key with a NUL', async () => {
    const response = await send('pubsub/elsewhere?metadata.partitionKey=a%00', '{}')
    expect(await refusalOf(response)).toBe(expectedHere('publish.nul-key', '204'))
  })

  const about = (what: string) => `400 ERR_PUBSUB_EVENTS_SER [DAPR_PUBSUB_${what}`
  it.each([
    [
      'an unknown pubsub',
      'nowhere/t',
      '{}',
      '404 ERR_PUBSUB_NOT_FOUND [DAPR_PUBSUB_NOT_FOUND] pubsub nowhere is not found',
    ],
    ['no topic', 'pubsub/', '{}', '404 ERR_DIRECT_INVOKE failed getting app id'],
    [
      'bad metadata',
      'pubsub/t?metadata.rawPayload=maybe',
      '{}',
      "400 ERR_PUBSUB_REQUEST_METADATA [DAPR_PUBSUB_METADATA_DESERIALIZATION] failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'",
    ],
    [
      'a bulk to an unknown pubsub',
      'bulk/nowhere/t',
      '[]',
      '404 ERR_PUBSUB_NOT_FOUND [DAPR_PUBSUB_NOT_FOUND]',
    ],
    [
      'a bulk that is no list',
      'bulk/pubsub/t',
      '{"not":"a list"}',
      `${about('UNMARSHAL_EVENTS')}] error when unmarshaling the request for topic t pubsub pubsub: `,
    ],
    [
      'a bulk entry without id',
      'bulk/pubsub/t',
      '[{"event":{},"contentType":"application/json"}]',
      `${about('MARSHAL_EVENTS')}] error marshaling events to bytes for topic t pubsub pubsub. error: entryId is duplicated or not present for entry`,
    ],
    [
      'an entry id that comes twice',
      'bulk/pubsub/t',
      '[{"entryId":"1","event":{},"contentType":"application/json"},{"entryId":"1","event":{},"contentType":"application/json"}]',
      `${about('MARSHAL_EVENTS')}]`,
    ],
    [
      'a bulk entry of the wrong type',
      'bulk/pubsub/t',
      '[{"entryId":"1","event":{},"contentType":"text/plain"}]',
      `${about('MARSHAL_ENVELOPE')}] error when marshalling cloud event envelope for topic t pubsub pubsub: error: mismatch between contentType and event`,
    ],
    [
      'a bulk entry that is no CloudEvent though it says so',
      'bulk/pubsub/t',
      '[{"entryId":"1","event":[],"contentType":"application/cloudevents+json"}]',
      '500 ERR_PUBSUB_CLOUD_EVENTS_SER [DAPR_PUBSUB_CLOUD_EVENT_CREATION] cannot create cloudevent',
    ],
  ])('refuses %s', async (_, path, body, error) => {
    const refusal = await refusalOf(await send(path, body))
    expect(refusal.slice(0, error.length)).toBe(error)
  })

  it.each(['[', '[]', '"event"'])('refuses %s that says it is a CloudEvent', async (body) => {
    expect(await refusalOf(await send('pubsub/t', body, cloudEvent))).toBe(
      '500 ERR_PUBSUB_CLOUD_EVENTS_SER [DAPR_PUBSUB_CLOUD_EVENT_CREATION] cannot create cloudevent',
    )
  })

  it('refuses a body over 4 MiB', async () => {
    expect(await refusalOf(await send('pubsub/t', 'x'.repeat(5 * 1024 * 1024)))).toBe(
      '500 ERR_PUBSUB_PUBLISH_MESSAGE [DAPR_PUBSUB_PUBLISH_MESSAGE] error when publishing to topic t in pubsub pubsub: stream too large',
    )
  })
})

describe('bulk publish', () => {
  const bulk = (topic: string, entries: unknown[], query = '') =>
    send(`bulk/pubsub/${on(topic)}${query}`, JSON.stringify(entries))

  it('takes three megabytes for one key', async () => {
    const entries = Array.from({ length: 150 }, (_, index) => ({
      entryId: `${index}`,
      event: 'x'.repeat(20_000),
      contentType: 'text/plain',
      metadata: { partitionKey: 'one' },
    }))
    expect((await bulk('heavy', entries)).status).toBe(204)
  })

  it('publishes many events, each with its own partition key', async () => {
    const entries = [1, 2, 3].map((n) => ({
      entryId: String(n),
      event: { n },
      contentType: 'application/json',
      metadata: { partitionKey: `k${n}` },
    }))
    expect((await bulk('bulk', entries)).status).toBe(204)
    await eventually(() => expect(dapr.app.calls('/bulk')).toHaveLength(3))
    const got = dapr.app
      .calls('/bulk')
      .map(({ headers, body }) => [headers.get('__key'), (JSON.parse(body) as { data: unknown }).data])
    const keyOf = (n: number) => expectedHere<string | null>('bulk.key-header', `k${n}`)
    expect(got).toEqual(expect.arrayContaining([1, 2, 3].map((n) => [keyOf(n), { n }])))
  })

  it('keeps CloudEvents as they are', async () => {
    const event = {
      id: 'b1',
      type: 'task.created',
      source: 's',
      specversion: '1.0',
      userid: 'u1',
      data: { a: 1 },
    }
    const entry = {
      entryId: 'b1',
      event,
      contentType: 'application/cloudevents+json',
      metadata: { partitionKey: 'u1' },
    }
    expect((await bulk('bulk-kept', [entry])).status).toBe(204)
    await eventually(() => expect(dapr.app.events('/bulk-kept')).toMatchObject([event]))
  })

  it('takes texts and binary data', async () => {
    const text = { entryId: '1', event: 'words', contentType: 'text/plain' }
    const binary = { entryId: '2', event: 'YWJj', contentType: 'application/octet-stream' }
    expect((await bulk('bulk-text', [text, binary])).status).toBe(204)
    await eventually(() => expect(dapr.app.events('/bulk-text')).toHaveLength(2))
    const events = dapr.app.events('/bulk-text') as Record<string, unknown>[]
    expect(new Set(events.map((event) => event.data ?? event.data_base64))).toEqual(
      new Set(['YWJj', 'words']),
    )
  })

  it('gives the metadata of the request to the entries that have some of their own', async () => {
    const entry = (n: string, more: object) => ({
      entryId: n,
      event: { n },
      contentType: 'application/json',
      ...more,
    })
    const entries = [entry('with', { metadata: { partitionKey: 'k' } }), entry('without', {})]
    expect((await bulk('bulk-metadata', entries, '?metadata.ttlInSeconds=3600')).status).toBe(204)
    await eventually(() => expect(dapr.app.events('/bulk-metadata')).toHaveLength(2))
    const events = dapr.app.events('/bulk-metadata') as { data: { n: string }; expiration?: string }[]
    const withEnd = events.filter(({ expiration }) => expiration !== undefined).map(({ data }) => data.n)
    expect(withEnd).toEqual(['with'])
  })

  it('takes an empty list', async () => {
    expect((await bulk('bulk', [])).status).toBe(204)
  })

  it('names the entries that the broker did not take, and publishes the others', async () => {
    // What a broker cannot keep: Kafka a message beyond its limit of 1 MiB, PostgreSQL a NUL.
    const isKafka = currentProfile().pubsub === 'kafka'
    const entry = (entryId: string, partitionKey: string, words: string) => ({
      entryId,
      contentType: 'application/json',
      metadata: { partitionKey },
      event: { entryId, words },
    })
    const poison = isKafka ? entry('bad', 'k2', 'x'.repeat(2 * 1024 * 1024)) : entry('bad', 'k\0', '')
    const response = await bulk('poisoned', [entry('first', 'k1', ''), poison, entry('last', 'k3', '')])
    const usual = { status: 500, failed: ['bad'], errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }
    const text = await response.text()
    const body = (text === '' ? {} : JSON.parse(text)) as {
      failedEntries?: { entryId: string; error: string }[]
      errorCode?: string
    }
    expect({
      status: response.status,
      failed: body.failedEntries?.map(({ entryId }) => entryId) ?? [],
      errorCode: body.errorCode ?? null,
    }).toEqual(expectedHere('bulk.failed-entries', usual))
    for (const { error } of body.failedEntries ?? []) expect(error).not.toBe('')
    const published = () =>
      (dapr.app.events('/poisoned') as { data: { entryId: string } }[]).map(({ data }) => data.entryId)
    await eventually(() => expect(published()).toEqual(expect.arrayContaining(['first', 'last'])))
  })
})
