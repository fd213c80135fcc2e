import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../sidecar/recording-app.ts'
import { inboundRetries, pubsubComponent } from './harness/components.ts'
import { expectedHere } from './harness/expected-here.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

const run = unique('bulk')
const on = (topic: string) => `${run}-${topic}`
const bulkSubscribe = { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 100 }

interface Item {
  key: string
  n: number
}

interface Entry {
  entryId: string
  event: { id: string; type: string; data: Item }
  metadata: Record<string, string>
  contentType: string
}

let dapr: Driver
let app: RecordingApp

const batches = (path: string): Entry[][] =>
  (app.events(path) as { entries: Entry[] }[]).map(({ entries }) => entries)
const itemsOf = (entries: readonly Entry[]): string[] =>
  entries.map(({ event }) => `${event.data.key}${event.data.n}`)

/** Publishes in one call, so that the messages come together. */
async function publish(topic: string, items: readonly Item[], pubsub = 'pubsub'): Promise<void> {
  const entries = items.map(({ key, n }) => ({
    entryId: `${key}${n}`,
    event: {
      specversion: '1.0',
      id: `${key}${n}`,
      source: '/bulk',
      type: 'item',
      datacontenttype: 'application/json',
      data: { key, n },
    },
    contentType: 'application/cloudevents+json',
    metadata: { partitionKey: key },
  }))
  const response = await dapr.call(`/v1.0/publish/bulk/${pubsub}/${on(topic)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(entries),
  })
  expect(response.status).toBe(204)
}

/** Answers each entry, and notes those that it takes. Behind one that it does not take it takes none of the same key. */
function take(topic: string, isTaken: (item: string, attempt: number) => boolean): string[] {
  const taken: string[] = []
  const attempts = new Map<string, number>()
  app.on(`/${topic}`, ({ body }) => {
    const { entries } = JSON.parse(body) as { entries: Entry[] }
    const halted = new Set<string>()
    const statuses = entries.map((entry) => {
      const [item] = itemsOf([entry]) as [string]
      const attempt = (attempts.get(item) ?? 0) + 1
      attempts.set(item, attempt)
      if (halted.has(entry.event.data.key) || !isTaken(item, attempt)) {
        halted.add(entry.event.data.key)
        return { entryId: entry.entryId, status: 'RETRY' }
      }
      taken.push(item)
      return { entryId: entry.entryId, status: 'SUCCESS' }
    })
    return Response.json({ statuses })
  })
  return taken
}

const keys = (items: readonly string[], key: string) => items.filter((item) => item.startsWith(key))

beforeAll(async () => {
  app = createRecordingApp()
  const subscription = (topic: string, pubsub = 'pubsub') => [
    {
      pubsubname: pubsub,
      topic: on(topic),
      route: `/${topic}`,
      deadLetterTopic: on(`${topic}-dead`),
      bulkSubscribe,
    },
    { pubsubname: pubsub, topic: on(`${topic}-dead`), route: `/${topic}-dead` },
  ]
  app.subscriptions = [
    ...['together', 'partly', 'silent', 'unreadable'].flatMap((topic) => subscription(topic)),
    ...subscription('hopeless', 'hasty'),
  ]
  dapr = await startSidecar({
    app,
    resources: [
      pubsubComponent('hasty', { group: unique('hasty') }),
      inboundRetries({
        pubsub: { policy: 'constant', duration: '50ms', maxRetries: 100 },
        hasty: { policy: 'constant', duration: '50ms', maxRetries: 2 },
      }),
    ],
  })
})

describe('bulk delivery', () => {
  it('brings several messages in one call, each as it was published, in order for each key', async () => {
    const taken = take('together', () => true)
    const items = Array.from({ length: 30 }, (_, n) => ({ key: ['a', 'b', 'c'][n % 3]!, n }))
    await publish('together', items)
    await eventually(() => expect(taken).toHaveLength(30))
    const calls = batches('/together')
    expect(calls.length).toBeLessThan(30)
    expect(Math.max(...calls.map((entries) => entries.length))).toBeLessThanOrEqual(10)
    const [first] = calls.flat().filter(({ event }) => event.id === 'a0')
    expect(first).toMatchObject({
      event: { id: 'a0', type: 'item', source: '/bulk', data: { key: 'a', n: 0 } },
      contentType: 'application/cloudevents+json',
    })
    const order = expectedHere('order.of-a-key', 'first to last')
    for (const key of ['a', 'b', 'c']) {
      const expected = items.filter((item) => item.key === key).map(({ n }) => `${key}${n}`)
      if (order === 'first to last') expect(keys(taken, key)).toEqual(expected)
      else expect(new Set(keys(taken, key))).toEqual(new Set(expected))
    }
  })

  it('brings again only what was not taken, and nothing of a key overtakes it', async () => {
    const taken = take('partly', (item, attempt) => item !== 'a1' || attempt > 3)
    await publish(
      'partly',
      [0, 1, 2, 3].flatMap((n) => [
        { key: 'a', n },
        { key: 'b', n },
      ]),
    )
    await eventually(() => expect(taken).toHaveLength(8))
    const order = expectedHere('order.of-a-key', 'first to last')
    if (order === 'first to last') expect(keys(taken, 'a')).toEqual(['a0', 'a1', 'a2', 'a3'])
    expect(new Set(taken).size).toBe(8)
    expect(itemsOf(batches('/partly').flat()).filter((item) => item === 'b0')).toHaveLength(1)
    expect(app.calls('/partly-dead')).toHaveLength(0)
  })

  it('brings all of a batch again whose answer names none of them', async () => {
    const again: string[] = []
    app.on('/silent', (call, attempt) => {
      if (attempt === 1) return Response.json({ statuses: [] })
      const { entries } = JSON.parse(call.body) as { entries: Entry[] }
      again.push(...itemsOf(entries))
      return Response.json({ statuses: entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' })) })
    })
    await publish('silent', [{ key: 'a', n: 0 }])
    await eventually(() => expect(again).toEqual(['a0']))
  })

  it('moves what is never taken to the dead letter topic, as it was published, and the rest is done', async () => {
    const taken = take('hopeless', (item) => item !== 'a1')
    await publish(
      'hopeless',
      [
        { key: 'a', n: 0 },
        { key: 'a', n: 1 },
        { key: 'b', n: 0 },
      ],
      'hasty',
    )
    await eventually(() => expect(app.events('/hopeless-dead')).toMatchObject([{ id: 'a1' }]))
    await eventually(() => expect(new Set(taken)).toEqual(new Set(['a0', 'b0'])))
  })

  it('moves what is no CloudEvent to the dead letter topic and brings the rest', async () => {
    const taken = take('unreadable', () => true)
    const path = `/v1.0/publish/pubsub/${on('unreadable')}?metadata.rawPayload=true&metadata.partitionKey=a`
    const raw = await dapr.call(path, { method: 'POST', body: 'no event' })
    expect(raw.status).toBe(204)
    await publish('unreadable', [
      { key: 'a', n: 0 },
      { key: 'a', n: 1 },
    ])
    // On Redis a message that arrives with such a one can be passed by the next.
    await eventually(() => expect(taken.toSorted()).toEqual(['a0', 'a1']))
  })
})
