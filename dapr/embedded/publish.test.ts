import { beforeAll, describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../shared/testing/database.ts'
import { embeddedSidecar, errorOf, type Driver } from './testing/embedded-sidecar.ts'
import { createRecordingApp } from './testing/recording-app.ts'

let dapr: Driver

const publish = (topic: string, body: string, headers: Record<string, string> = {}, query = '') =>
  dapr.call(`/v1.0/publish/pubsub/${topic}${query}`, { method: 'POST', body, headers })
const json = { 'content-type': 'application/json' }

/** Publishes, expects 204, and answers what the app got on that topic's route. */
async function delivered(topic: string, body: string, headers: Record<string, string> = json, query = '') {
  const response = await publish(topic, body, headers, query)
  expect(response.status).toBe(204)
  return await vi.waitFor(() => {
    const call = dapr.app.calls(`/${topic}`).at(-1)
    expect(call).toBeDefined()
    return { call: call!, event: JSON.parse(call!.body) as Record<string, unknown> }
  })
}

beforeAll(async () => {
  const app = createRecordingApp()
  const topics = [
    'wrapped',
    'text',
    'untyped',
    'binary',
    'kept',
    'named',
    'traced',
    'header',
    'bulk',
    'number',
    'ttl',
  ]
  app.subscriptions = topics.map((topic) => ({ pubsubname: 'pubsub', topic, route: `/${topic}` }))
  app.subscriptions.push({
    pubsubname: 'pubsub',
    topic: 'raw',
    route: '/raw',
    metadata: { rawPayload: 'true' },
  })
  dapr = await embeddedSidecar(await testDatabase(), { app })
})

describe('publish', () => {
  it('wraps JSON in a CloudEvent and delivers it to the route', async () => {
    const { call, event } = await delivered('wrapped', '{"a":1}')
    expect(call.method).toBe('POST')
    expect(call.headers.get('content-type')).toBe('application/cloudevents+json')
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'com.dapr.event.sent',
      source: 'orders',
      topic: 'wrapped',
      pubsubname: 'pubsub',
      datacontenttype: 'application/json',
      data: { a: 1 },
    })
    expect(event.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/)
  })

  it('makes a text of a body with another content type', async () => {
    const { event } = await delivered('text', '{"a":1}', { 'content-type': 'text/plain' })
    expect(event.data).toBe('{"a":1}')
  })

  it('makes base64 of a binary body', async () => {
    const { event } = await delivered('binary', 'abc', { 'content-type': 'application/octet-stream' })
    expect(event).toMatchObject({ data_base64: 'YWJj' })
    expect(event).not.toHaveProperty('data')
  })

  it('keeps a CloudEvent with its id and extensions', async () => {
    const given = {
      id: 'e1',
      type: 'task.created',
      source: '/services/tasks',
      specversion: '1.0',
      userid: 'u1',
      data: { b: 2 },
    }
    const { event } = await delivered('kept', JSON.stringify({ ...given, topic: 'forged' }), {
      'content-type': 'application/cloudevents+json',
    })
    expect(event).toMatchObject({ ...given, topic: 'kept', pubsubname: 'pubsub' })
  })

  it('takes attributes from metadata, but not for an event that is a CloudEvent already', async () => {
    const query =
      '?metadata.cloudevent.id=mine&metadata.cloudevent.type=task.created&metadata.cloudevent.subject=task/1'
    const { event } = await delivered('named', '{}', json, query)
    expect(event).toMatchObject({ id: 'mine', type: 'task.created', subject: 'task/1' })
  })

  it('carries the trace of the publisher to the consumer', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const { call, event } = await delivered('traced', '{}', {
      ...json,
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    })
    expect(String(event.traceparent)).toContain(trace)
    expect(call.headers.get('traceparent')).toContain(trace)
  })

  it('hands the partition key and the publish metadata to the consumer as headers', async () => {
    const { call } = await delivered(
      'header',
      '{}',
      json,
      '?metadata.partitionKey=user-1&metadata.reason=tested',
    )
    expect(call.headers.get('__key')).toBe('user-1')
    expect(call.headers.get('__topic')).toBe('header')
    expect(call.headers.get('__offset')).toMatch(/^\d+$/)
    expect(call.headers.get('reason')).toBe('tested')
    expect(call.headers.get('pubsubname')).toBe('pubsub')
  })

  it('does not round large numbers', async () => {
    const { call } = await delivered('number', '{"n":12345678901234567890}')
    expect(call.body).toContain('12345678901234567890')
  })

  it('marks an event with the end of its time to live', async () => {
    const { event } = await delivered('ttl', '{}', json, '?metadata.ttlInSeconds=3600')
    expect(Date.parse(String(event.expiration))).toBeGreaterThan(Date.parse(String(event.time)) + 3_590_000)
  })

  it('sends a raw payload as it is and wraps it for the subscriber', async () => {
    const { event } = await delivered(
      'raw',
      'plain words',
      { 'content-type': 'text/plain' },
      '?metadata.rawPayload=true',
    )
    expect(event).toMatchObject({ data_base64: Buffer.from('plain words').toString('base64') })
  })

  it.each([
    ['an unknown pubsub', 'nowhere/t', '{}', '404 ERR_PUBSUB_NOT_FOUND'],
    ['no topic', 'pubsub/', '{}', '404 ERR_DIRECT_INVOKE'],
    ['bad metadata', 'pubsub/t?metadata.rawPayload=maybe', '{}', '400 ERR_PUBSUB_REQUEST_METADATA'],
    [
      'a key that the broker cannot keep',
      'pubsub/t?metadata.partitionKey=a%00',
      '{}',
      '500 ERR_PUBSUB_PUBLISH_MESSAGE',
    ],
    ['a body over 4 MiB', 'pubsub/t', 'x'.repeat(4 * 1024 * 1024 + 1), '500 ERR_PUBSUB_PUBLISH_MESSAGE'],
    ['a bulk that is no list', 'bulk/pubsub/t', '{"not":"a list"}', '400 ERR_PUBSUB_EVENTS_SER'],
    [
      'a bulk entry without id',
      'bulk/pubsub/t',
      '[{"event":{},"contentType":"application/json"}]',
      '400 ERR_PUBSUB_EVENTS_SER',
    ],
    [
      'a bulk entry of the wrong type',
      'bulk/pubsub/t',
      '[{"entryId":"1","event":{},"contentType":"text/plain"}]',
      '400 ERR_PUBSUB_EVENTS_SER',
    ],
  ])('refuses %s', async (_, path, body, error) => {
    const response = await dapr.call(`/v1.0/publish/${path}`, { method: 'POST', headers: json, body })
    expect(await errorOf(response)).toBe(error)
  })

  it('refuses a body that says it is a CloudEvent and is not', async () => {
    const response = await publish('kept', '[', { 'content-type': 'application/cloudevents+json' })
    expect(await errorOf(response)).toBe('500 ERR_PUBSUB_CLOUD_EVENTS_SER')
  })

  it('publishes in bulk, each entry with its own partition key', async () => {
    const entries = [1, 2, 3].map((n) => ({
      entryId: String(n),
      event: { n },
      contentType: 'application/json',
      metadata: { partitionKey: `k${n}` },
    }))
    const response = await dapr.call('/v1.0/publish/bulk/pubsub/bulk', {
      method: 'POST',
      headers: json,
      body: JSON.stringify(entries),
    })
    expect(response.status).toBe(204)
    await vi.waitFor(() => expect(dapr.app.calls('/bulk')).toHaveLength(3))
    const got = dapr.app
      .calls('/bulk')
      .map(({ headers, body }) => [headers.get('__key'), (JSON.parse(body) as { data: unknown }).data])
    expect(got).toEqual(
      expect.arrayContaining([
        ['k1', { n: 1 }],
        ['k2', { n: 2 }],
        ['k3', { n: 3 }],
      ]),
    )
  })
})
