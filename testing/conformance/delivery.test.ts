import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../sidecar/recording-app.ts'
import { inboundRetries, pubsubComponent } from './harness/components.ts'
import { expectedHere } from './harness/expected-here.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

const run = unique('delivery')
const on = (topic: string) => `${run}-${topic}`
const json = { 'content-type': 'application/json' }

let dapr: Driver
let app: RecordingApp

async function publish(
  topic: string,
  data: unknown,
  { key = 'k', query = '', pubsub = 'pubsub', via = dapr } = {},
) {
  const path = `/v1.0/publish/${pubsub}/${on(topic)}?metadata.partitionKey=${key}${query}`
  const response = await via.call(path, { method: 'POST', headers: json, body: JSON.stringify(data) })
  expect(response.status).toBe(204)
}

/** A subscription whose route is the topic's name, with a dead letter topic that the app gets, too. */
function subscription(topic: string, more: object = {}): object[] {
  return [
    {
      pubsubname: 'pubsub',
      topic: on(topic),
      route: `/${topic}`,
      deadLetterTopic: on(`${topic}-dead`),
      ...more,
    },
    { pubsubname: 'pubsub', topic: on(`${topic}-dead`), route: `/${topic}-dead` },
  ]
}

/** What came to a route, without the marker that ends a test. */
const data = <T = unknown>(path: string, of: RecordingApp = app): T[] =>
  (of.events(path) as { data: T }[]).map((event) => event.data).filter((each) => each !== 'end')

/** Waits for a message that was published last: in Kafka and embedded all before it, of the same key, are done. */
async function settled(topic: string): Promise<void> {
  await publish(topic, 'end')
  await eventually(() => {
    const all = app.events(`/${topic}`) as { data: unknown }[]
    expect(all.map((event) => event.data)).toContain('end')
  })
}

/** Answers like this, but takes the marker. */
function answer(topic: string, respond: (attempt: number) => Response | Promise<Response> | undefined): void {
  let attempts = 0
  app.on(`/${topic}`, ({ body }) => {
    if ((JSON.parse(body) as { data: unknown }).data === 'end') return undefined
    attempts += 1
    return respond(attempts)
  })
}

const status = (value: string) => Response.json({ status: value })
const SUCCESSES: [string, string, () => Response][] = [
  ['SUCCESS', 'success', () => status('SUCCESS')],
  ['an empty status', 'empty-status', () => status('')],
  ['an unreadable body', 'unreadable', () => new Response('fine')],
  ['201 without a body', 'created', () => new Response(null, { status: 201 })],
]
const DROPS: [string, string, () => Response][] = [
  ['DROP', 'dropped', () => status('DROP')],
  ['404', 'not-found', () => new Response(null, { status: 404 })],
]

beforeAll(async () => {
  app = createRecordingApp()
  const rules = [{ match: 'event.type == "created"', path: '/as-created' }]
  app.subscriptions = [
    ...[
      'retried',
      'recovered',
      'expired',
      'late',
      ...SUCCESSES.map(([, topic]) => topic),
      ...DROPS.map(([, topic]) => topic),
    ].flatMap((topic) => subscription(topic)),
    ...subscription('routed', { route: '/forgotten' }),
    ...subscription('routed', { routes: { rules, default: '/others' } }),
    ...subscription('ruled', {
      route: undefined,
      routes: { rules: [{ match: 'event.type == "created"', path: '/ruled' }] },
    }),
    { pubsubname: 'pubsub', topic: on('routeless') },
    { pubsubname: 'pubsub', topic: on('busy'), route: '/busy' },
    { pubsubname: 'pubsub', topic: on('history'), route: '/history' },
    { pubsubname: 'once', topic: on('once'), route: '/once', deadLetterTopic: on('once-dead') },
    { pubsubname: 'once', topic: on('once-dead'), route: '/once-dead' },
    { pubsubname: 'patient', topic: on('stuck'), route: '/stuck' },
    { pubsubname: 'hasty', topic: on('slow'), route: '/slow' },
  ]
  dapr = await startSidecar({
    app,
    resources: [
      ...['once', 'patient', 'hasty'].map((name) => pubsubComponent(name, { group: unique(name) })),
      inboundRetries({
        pubsub: { policy: 'constant', duration: '20ms', maxRetries: 3 },
        patient: { policy: 'constant', duration: '20ms' },
        hasty: { policy: 'constant', duration: '20ms', timeout: '300ms' },
      }),
    ],
  })
})

describe('delivery', () => {
  it('sends a message again when the app answers RETRY, an unknown status or an error, and gives up after the policy', async () => {
    const answers = [
      () => status('RETRY'),
      () => status('LATER'),
      () => new Response(null, { status: 500 }),
      () => Promise.reject(new Error('connection refused')),
    ]
    answer('retried', (attempt) => answers[attempt - 1]?.())
    await publish('retried', { n: 1 }, { key: 'u1' })
    await eventually(() => expect(app.calls('/retried-dead')).toHaveLength(1))
    expect(app.calls('/retried')).toHaveLength(4)
    const [first] = app.events('/retried') as object[]
    const [dead] = app.events('/retried-dead') as object[]
    expect(dead).toEqual(first)
    expect(app.calls('/retried-dead')[0]!.headers.get('__key')).toBe(expectedHere('dead-letter.key', 'u1'))
  })

  it('sends a message again until the app takes it, and then no more', async () => {
    answer('recovered', (attempt) => (attempt < 3 ? status('RETRY') : status('SUCCESS')))
    await publish('recovered', {})
    await eventually(() => expect(data('/recovered')).toHaveLength(3))
    await settled('recovered')
    expect(data('/recovered')).toHaveLength(3)
    expect(app.calls('/recovered-dead')).toHaveLength(0)
  })

  it.each(SUCCESSES)('takes %s for success', async (_, topic, respond) => {
    answer(topic, respond)
    await publish(topic, {})
    await eventually(() => expect(data(`/${topic}`)).toHaveLength(1))
    await settled(topic)
    expect(data(`/${topic}`)).toHaveLength(1)
    expect(app.calls(`/${topic}-dead`)).toHaveLength(0)
  })

  it.each(DROPS)('moves a message to the dead letter topic at once on %s', async (_, topic, respond) => {
    answer(topic, respond)
    await publish(topic, {})
    await eventually(() => expect(app.calls(`/${topic}-dead`)).toHaveLength(1))
    expect(data(`/${topic}`)).toHaveLength(1)
  })

  it('without a retry policy moves a message to the dead letter topic after the first failure', async () => {
    app.on('/once', () => new Response(null, { status: 500 }))
    await publish('once', { n: 1 }, { pubsub: 'once' })
    await eventually(() => expect(app.calls('/once-dead')).toHaveLength(1))
    expect(app.calls('/once')).toHaveLength(1)
  })

  it('tries again when the app does not answer within the timeout of the policy', async () => {
    app.on('/slow', (_, attempt) => (attempt === 1 ? new Promise<Response>(() => {}) : undefined))
    await publish('slow', { n: 1 }, { pubsub: 'hasty' })
    await eventually(() => expect(app.calls('/slow')).toHaveLength(2))
  })

  it('drops an expired event, and so its dead letter, which has expired as well', async () => {
    const late = {
      id: '1',
      type: 't',
      source: 's',
      specversion: '1.0',
      expiration: '2020-01-01T00:00:00Z',
      data: {},
    }
    await dapr.call(`/v1.0/publish/pubsub/${on('expired')}?metadata.partitionKey=k`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(late),
    })
    await publish('expired', { n: 2 })
    await eventually(() => expect(data('/expired')).toEqual([{ n: 2 }]))
    await settled('expired')
    expect(data('/expired')).toEqual([{ n: 2 }])
    await settled('expired-dead')
    expect(data('/expired-dead')).toEqual([])
  })

  it('drops an event that waited for its consumer longer than its time to live', async () => {
    await dapr.stop()
    const publisher = await startSidecar({ beside: dapr })
    await publish('late', { lives: 'short' }, { query: '&metadata.ttlInSeconds=1', via: publisher })
    const isOver = Date.now() + 2000
    await eventually(() => expect(Date.now()).toBeGreaterThan(isOver))
    await dapr.start()
    await settled('late')
    expect(data('/late')).toEqual([])
  })

  it('routes by event type and keeps one subscription for a topic: the last', async () => {
    await publish('routed', {}, { query: '&metadata.cloudevent.type=created' })
    await publish('routed', {}, { query: '&metadata.cloudevent.type=removed' })
    await eventually(() => expect(app.events('/as-created')).toMatchObject([{ type: 'created' }]))
    await eventually(() => expect(app.events('/others')).toMatchObject([{ type: 'removed' }]))
    expect(app.calls('/forgotten')).toHaveLength(0)
    const metadata = (await (await dapr.call('/v1.0/metadata')).json()) as {
      subscriptions: { topic: string }[]
    }
    expect(metadata.subscriptions.filter(({ topic }) => topic === on('routed'))).toHaveLength(1)
    expect(metadata.subscriptions.filter(({ topic }) => topic === on('routeless'))).toHaveLength(0)
  })

  it('moves an event that no rule wants to the dead letter topic', async () => {
    await publish('ruled', { n: 1 }, { query: '&metadata.cloudevent.type=removed' })
    await publish('ruled', { n: 2 }, { query: '&metadata.cloudevent.type=created' })
    await eventually(() => expect(data('/ruled')).toEqual([{ n: 2 }]))
    await eventually(() => expect(data('/ruled-dead')).toEqual([{ n: 1 }]))
  })

  it('gives every app-id all messages, also those from before its first start', async () => {
    await publish('history', { n: 1 })
    await eventually(() => expect(data('/history')).toHaveLength(1))
    const newcomer = createRecordingApp()
    newcomer.subscriptions = app.subscriptions.filter(
      (entry) => (entry as { topic: string }).topic === on('history'),
    )
    await startSidecar({ app: newcomer, beside: dapr })
    await publish('history', { n: 2 })
    await eventually(() =>
      expect(data('/history', newcomer)).toEqual(expect.arrayContaining([{ n: 1 }, { n: 2 }])),
    )
    await eventually(() => expect(data('/history')).toHaveLength(2))
  })
})

describe('order', () => {
  it('holds for each key under many publishers at once, and nothing is lost', async () => {
    const [PUBLISHERS, EACH] = [20, 25]
    await Promise.all(
      Array.from({ length: PUBLISHERS }, async (_, publisher) => {
        for (let n = 0; n < EACH; n += 1) await publish('busy', { publisher, n }, { key: `p${publisher}` })
      }),
    )
    await eventually(() => expect(app.calls('/busy')).toHaveLength(PUBLISHERS * EACH))
    const received = data<{ publisher: number; n: number }>('/busy')
    const promise = expectedHere('order.of-a-key', 'first to last')
    for (let publisher = 0; publisher < PUBLISHERS; publisher += 1) {
      const order = received.filter((item) => item.publisher === publisher).map(({ n }) => n)
      const expected = Array.from({ length: EACH }, (_, n) => n)
      if (promise === 'first to last') expect(order).toEqual(expected)
      else expect(new Set(order)).toEqual(new Set(expected))
    }
  })

  it('holds for a key while one of its messages is retried, and other keys flow', async () => {
    let isStuck = true
    app.on('/stuck', ({ body }) => {
      const { key, n } = (JSON.parse(body) as { data: { key: string; n: number } }).data
      return key === 'a' && n === 1 && isStuck ? status('RETRY') : undefined
    })
    for (let n = 0; n < 5; n += 1)
      for (const key of ['a', 'b', 'c', 'd']) await publish('stuck', { key, n }, { key, pubsub: 'patient' })
    const taken = (key: string) =>
      data<{ key: string; n: number }>('/stuck')
        .filter((item) => item.key === key)
        .map(({ n }) => n)
    await eventually(() => {
      expect(taken('a').length).toBeGreaterThan(4)
      expect(['b', 'c', 'd'].some((key) => taken(key).length === 5)).toBe(true)
    })
    const isHeld = new Set(taken('a')).size === 2
    expect(isHeld).toBe(expectedHere('order.behind-a-retry', true))
    isStuck = false
    await eventually(() => {
      for (const key of ['a', 'b', 'c', 'd']) expect(new Set(taken(key)).size).toBe(5)
    })
  })
})

describe('after a restart', () => {
  it('what was published meanwhile is delivered, what was done before is not delivered again, and the app is asked once', async () => {
    const survivor = createRecordingApp()
    let asked = 0
    const inner = survivor.fetch
    survivor.fetch = async (request) => {
      if (new URL(request.url).pathname === '/dapr/subscribe') asked += 1
      return await inner(request)
    }
    survivor.subscriptions = [{ pubsubname: 'pubsub', topic: on('restarted'), route: '/restarted' }]
    const own = await startSidecar({ app: survivor, beside: dapr })
    await publish('restarted', { n: 1 })
    await eventually(() => expect(data('/restarted', survivor)).toEqual([{ n: 1 }]))
    expect(asked).toBe(1)
    await own.stop()
    await publish('restarted', { n: 2 })
    expect(data('/restarted', survivor)).toEqual([{ n: 1 }])
    await own.start()
    await publish('restarted', { n: 3 })
    const taken = () => data<{ n: number }>('/restarted', survivor).map(({ n }) => n)
    await eventually(() => expect(new Set(taken())).toEqual(new Set([1, 2, 3])))
    expect(asked).toBe(2)
  })

  it('a message that was under way in a crash is delivered again', async () => {
    const survivor = createRecordingApp()
    survivor.subscriptions = [{ pubsubname: 'pubsub', topic: on('crashed'), route: '/crashed' }]
    survivor.on('/crashed', (_, attempt) => (attempt === 1 ? new Promise<Response>(() => {}) : undefined))
    const redis = { processingTimeout: '2s', redeliverInterval: '1000' }
    const own = await startSidecar({
      app: survivor,
      beside: dapr,
      hasPubsub: false,
      resources: [pubsubComponent('pubsub', { redis })],
    })
    await publish('crashed', { n: 1 })
    await eventually(() => expect(survivor.calls('/crashed')).toHaveLength(1))
    await own.crash()
    await own.start()
    await eventually(() => expect(survivor.calls('/crashed')).toHaveLength(2))
    expect(data('/crashed', survivor)).toEqual([{ n: 1 }, { n: 1 }])
  })
})
