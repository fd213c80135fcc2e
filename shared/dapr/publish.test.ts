import { describe, expect, it } from 'vitest'
import { bulkEntry } from './publish.ts'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const event = {
  specversion: '1.0',
  id: 'e1',
  type: 'task.created',
  source: '/services/tasks',
  data: { a: 1 },
}

describe('publishEvent', () => {
  it('sends the event as it is, as a CloudEvent, with its partition key and the API token', async () => {
    const seen = answerWith(noContent)
    await dapr.publishEvent('pubsub', 'task-events', event, { partitionKey: 'user 1&2' })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      method: 'POST',
      target: '/v1.0/publish/pubsub/task-events?metadata.partitionKey=user%201%262',
    })
    expect(seen[0]?.headers.get('content-type')).toBe('application/cloudevents+json')
    expect(seen[0]?.headers.get('dapr-api-token')).toBe('sidecar-token')
    expect(seen[0]?.json()).toEqual(event)
  })

  it('keeps the trace of the event by sending it as traceid too', async () => {
    const seen = answerWith(noContent)
    await dapr.publishEvent('pubsub', 'task-events', { ...event, traceparent }, { partitionKey: 'u' })
    expect(seen[0]?.json()).toMatchObject({ traceparent, traceid: traceparent })
  })

  it.each([
    [403, 'ERR_PUBSUB_FORBIDDEN'],
    [404, 'ERR_PUBSUB_NOT_FOUND'],
    [500, 'ERR_PUBSUB_PUBLISH_MESSAGE'],
  ])('throws on %i with the code %s', async (status, errorCode) => {
    answerWith(daprFailure(status, errorCode, 'no'))
    await expect(
      dapr.publishEvent('pubsub', 'task-events', event, { partitionKey: 'u' }),
    ).rejects.toMatchObject({
      name: 'DaprError',
      kind: 'refused',
      operation: 'publish task-events',
      status,
      errorCode,
    })
  })

  it('does not take an empty 200 for the word of the broker', async () => {
    answerWith(() => new Response(null, { status: 200 }))
    const published = dapr.publishEvent('pubsub', 'task-events', event, { partitionKey: 'u' })
    await expect(published).rejects.toMatchObject({ kind: 'refused', status: 200 })
  })
})

describe('bulkPublish', () => {
  const entries = ['e1', 'e2'].map((id) => bulkEntry({ ...event, id, traceparent }, 'u1'))

  it.each([
    ['an empty 200', () => new Response(null, { status: 200 })],
    ['an answer that breaks off', () => new Response('{"failedEntries":[{"entryId":"e1"', { status: 500 })],
  ])('takes no event for published on %s', async (_, answer) => {
    answerWith(answer)
    await expect(dapr.bulkPublish('pubsub', 'task-events', entries)).rejects.toMatchObject({
      kind: 'refused',
    })
  })

  it('sends every event with its id, key and type and finds nothing failed on 204', async () => {
    const seen = answerWith(noContent)
    expect(await dapr.bulkPublish('pubsub', 'task-events', entries)).toEqual([])
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/publish/bulk/pubsub/task-events' })
    expect(seen[0]?.headers.get('content-type')).toBe('application/json')
    expect(seen[0]?.json()).toEqual(
      ['e1', 'e2'].map((id) => ({
        entryId: id,
        contentType: 'application/cloudevents+json',
        metadata: { partitionKey: 'u1' },
        event: { ...event, id, traceparent, traceid: traceparent },
      })),
    )
  })

  it('returns the entries that the broker did not take', async () => {
    const failed = { entryId: 'e2', error: 'kafka: message too large' }
    answerWith(json({ failedEntries: [failed], errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, { status: 500 }))
    expect(await dapr.bulkPublish('pubsub', 'task-events', entries)).toEqual([
      { id: 'e2', error: 'kafka: message too large' },
    ])
  })

  it.each([
    ['names no entry', daprFailure(500, 'ERR_PUBSUB_PUBLISH_MESSAGE', 'broker away')],
    [
      'has an empty list',
      json({ failedEntries: [], errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, { status: 500 }),
    ],
    ['is not JSON', () => new Response('upstream connect error', { status: 503 })],
  ])('throws when the error %s, so that nothing counts as sent', async (_, answer) => {
    answerWith(answer)
    await expect(dapr.bulkPublish('pubsub', 'task-events', entries)).rejects.toMatchObject({
      kind: 'refused',
      operation: 'bulk publish task-events',
    })
  })
})
