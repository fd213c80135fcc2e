import { describe, expect, it, vi } from 'vitest'
import { connect } from '../../../shared/db/connect.ts'
import { testDatabase, testDatabaseTarget } from '../../../testing/worlds/database.ts'
import {
  embeddedSidecar,
  testResources,
  type Driver,
  type EmbeddedDriver,
} from '../../../testing/sidecar/embedded-sidecar.ts'
import { startDoomedProcess } from '../../../testing/sidecar/doomed-process.ts'
import { mortal } from '../../../testing/sidecar/mortal-sql.ts'
import { createRecordingApp, type RecordingApp } from '../../../testing/sidecar/recording-app.ts'

const json = { 'content-type': 'application/json' }

async function publish(dapr: Driver, topic: string, data: unknown, key?: string): Promise<void> {
  const query = key === undefined ? '' : `?metadata.partitionKey=${key}`
  const init = { method: 'POST', headers: json, body: JSON.stringify(data) }
  const response = await dapr.call(`/v1.0/publish/pubsub/${topic}${query}`, init)
  expect(response.status).toBe(204)
}

function appWith(
  ...subscriptions: { topic: string; deadLetterTopic?: string; [field: string]: unknown }[]
): RecordingApp {
  const app = createRecordingApp()
  app.subscriptions = subscriptions.map((entry) => ({
    pubsubname: 'pubsub',
    route: `/${entry.topic}`,
    ...entry,
  }))
  return app
}

const data = (app: RecordingApp, path: string): unknown[] =>
  app.events(path).map((event: { data: unknown }) => event.data)

const status = (value: string) => Response.json({ status: value })

// What a delivery is and when it is tried again: testing/conformance/delivery.test.ts.
describe('delivery', () => {
  it('sends several messages in one call to a bulk subscription and retries only those that failed', async () => {
    const app = appWith({
      topic: 'jobs',
      bulkSubscribe: { enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 50 },
    })
    const seen: string[][] = []
    app.on('/jobs', ({ body }) => {
      const { entries } = JSON.parse(body) as {
        entries: { entryId: string; event: { data: { n: string } } }[]
      }
      seen.push(entries.map(({ event }) => event.data.n))
      const isFirst = (n: string) => seen.flat().filter((other) => other === n).length === 1
      return Response.json({
        statuses: entries.map(
          ({
            entryId,
            event: {
              data: { n },
            },
          }) => ({
            entryId,
            status: n === 'b' && isFirst(n) ? 'RETRY' : 'SUCCESS',
          }),
        ),
      })
    })
    const dapr = await embeddedSidecar(await testDatabase(), { app, isStarted: false })
    for (const n of ['a', 'b', 'c']) await publish(dapr, 'jobs', { n }, n)
    await dapr.sidecar.start()
    await vi.waitFor(() => expect(seen).toEqual([['a', 'b', 'c'], ['b']]))
  })
})

describe('order', () => {
  it('holds for each key while one message is retried, and other keys flow', async () => {
    const app = appWith({ topic: 'jobs', deadLetterTopic: 'dead' })
    let isStuck = true
    app.on('/jobs', ({ body }) => {
      const { key, n } = (JSON.parse(body) as { data: { key: string; n: number } }).data
      return key === 'a' && n === 1 && isStuck ? status('RETRY') : undefined
    })
    const resources = testResources(retryForever('20ms'))
    const dapr = await embeddedSidecar(await testDatabase(), { app, resources })
    for (let n = 0; n < 10; n += 1)
      for (const key of ['a', 'b', 'c']) await publish(dapr, 'jobs', { key, n }, key)
    const taken = (key: string) =>
      (data(app, '/jobs') as { key: string; n: number }[])
        .filter((item) => item.key === key)
        .map(({ n }) => n)
    await vi.waitFor(() => {
      expect(taken('b')).toHaveLength(10)
      expect(taken('c')).toHaveLength(10)
      expect(taken('a').length).toBeGreaterThan(4)
    })
    expect(new Set(taken('a'))).toEqual(new Set([0, 1]))
    isStuck = false
    await vi.waitFor(() => expect(taken('a')).toContain(9))
    const lastTries = taken('a').filter((n, index, all) => n !== all[index + 1])
    expect(lastTries).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(taken('b')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('holds for each key under 20 publishers at once, and nothing is lost', async () => {
    const app = appWith({ topic: 'jobs' })
    const sql = await testDatabase()
    const dapr = await embeddedSidecar(sql, { app })
    // A second sidecar publishes beside the first, with statements of its own.
    const other = await embeddedSidecar(sql, { app: appWith(), appId: 'other' })
    await Promise.all(
      Array.from({ length: 20 }, async (_, publisher) => {
        for (let n = 0; n < 50; n += 1)
          await publish(publisher % 2 ? dapr : other, 'jobs', { publisher, n }, `p${publisher}`)
      }),
    )
    await vi.waitFor(() => expect(app.calls('/jobs')).toHaveLength(1000), 10_000)
    await dapr.sidecar.idle()
    const received = data(app, '/jobs') as { publisher: number; n: number }[]
    for (let publisher = 0; publisher < 20; publisher += 1) {
      const order = received.filter((item) => item.publisher === publisher).map(({ n }) => n)
      expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n))
    }
  })
})

describe('after a restart', () => {
  it('a message whose progress was not saved before the kill is delivered again', async () => {
    const sql = await testDatabase()
    const app = appWith({ topic: 'jobs' })
    const doomedSql = mortal(sql)
    const doomed = await embeddedSidecar(doomedSql, { app })
    app.on('/jobs', (_, attempt) => {
      // The effect happened, then the process is gone before it could write down that it did.
      if (attempt === 1) doomedSql.die()
      return undefined
    })
    await publish(doomed, 'jobs', { n: 1 })
    await vi.waitFor(() => expect(app.calls('/jobs')).toHaveLength(1))
    const survivor = await embeddedSidecar(sql, { app })
    await survivor.sidecar.idle()
    expect(data(app, '/jobs')).toEqual([{ n: 1 }, { n: 1 }])
  })

  it('a message that was still under way when later ones were finished is delivered again', async () => {
    const sql = await testDatabase()
    const app = appWith({ topic: 'jobs' })
    app.on('/jobs', ({ body }, attempt) => {
      const { n } = (JSON.parse(body) as { data: { n: number } }).data
      if (n === 0 && attempt <= 3) return new Promise<undefined>(() => {})
      return n === 2 && data(app, '/jobs').filter((item) => (item as { n: number }).n === 2).length === 1
        ? status('RETRY')
        : undefined
    })
    const doomedSql = mortal(sql)
    const doomed = await embeddedSidecar(doomedSql, { app })
    for (const n of [0, 1, 2]) await publish(doomed, 'jobs', { n }, `k${n}`)
    // Once the retry has come, what was finished until then is in the database.
    await vi.waitFor(() => expect(data(app, '/jobs')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }, { n: 2 }]))
    doomedSql.die()
    const survivor = await embeddedSidecar(sql, { app })
    await survivor.sidecar.idle()
    expect(data(app, '/jobs').slice(4)).toContainEqual({ n: 0 })
  })

  it('nothing is lost when the process is killed in the middle of its deliveries', async () => {
    const target = await testDatabaseTarget()
    const doomed = startDoomedProcess(target, { messages: 300, holdAfter: 120 })
    await doomed.isHolding
    await doomed.kill()

    const sql = connect(target, { max: 4, applicationName: 'survivor' })
    try {
      const app = appWith({ topic: 'jobs' })
      const survivor = await embeddedSidecar(sql, { app })
      await survivor.sidecar.idle()
      const numbers = (data(app, '/jobs') as { n: number }[]).map(({ n }) => n)
      const delivered = new Set([...doomed.finished(), ...numbers])
      expect([...delivered].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n))
      await survivor.sidecar.stop()
    } finally {
      await sql.end({ timeout: 1 })
    }
  })

  it('a message that waited for its retry keeps its place before the later ones of its key', async () => {
    const sql = await testDatabase()
    const app = appWith({ topic: 'jobs', deadLetterTopic: 'dead' })
    let isBroken = true
    app.on('/jobs', () => (isBroken ? status('RETRY') : undefined))
    const doomedSql = mortal(sql)
    const doomed = await embeddedSidecar(doomedSql, { app, resources: testResources(retryForever('1h')) })
    for (const n of [1, 2, 3]) await publish(doomed, 'jobs', { n }, 'u1')
    await doomed.sidecar.idle()
    expect(data(app, '/jobs')).toEqual([{ n: 1 }])
    doomedSql.die()

    isBroken = false
    const later = { now: () => new Date(Date.now() + 3_600_000) }
    const survivor = await embeddedSidecar(sql, { app, clock: later })
    await vi.waitFor(() => expect(data(app, '/jobs')).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }, { n: 3 }]))
    await survivor.sidecar.idle()
  })

  it('of several sidecars of one app-id one delivers, and another goes on when it leaves', async () => {
    const sql = await testDatabase()
    const app = appWith({ topic: 'jobs' })
    const [first, second] = [await embeddedSidecar(sql, { app }), await embeddedSidecar(sql, { app })]
    for (let n = 0; n < 20; n += 1) await publish(first, 'jobs', { n })
    await vi.waitFor(() =>
      expect(new Set(data(app, '/jobs').map((item) => JSON.stringify(item))).size).toBe(20),
    )
    await second.sidecar.stop()
    await publish(first, 'jobs', { n: 20 })
    await vi.waitFor(() => expect(data(app, '/jobs')).toContainEqual({ n: 20 }), 5000)
    const before = app.calls('/jobs').length
    await publish(first, 'jobs', { n: 21 })
    await first.sidecar.idle()
    expect(data(app, '/jobs').slice(before)).toEqual([{ n: 21 }])
  })
})

describe('a sidecar that has lost its topic to another', () => {
  it('writes nothing about the deliveries that it still had under way', async () => {
    const sql = await testDatabase()
    const app = appWith({ topic: 'jobs', deadLetterTopic: 'dead' }, { topic: 'dead' })
    const late = Promise.withResolvers<Response>()
    app.on('/jobs', (_, attempt) => (attempt === 1 ? late.promise : undefined))
    // A pool of its own, as in another process: nothing tells it that the other sidecar has started.
    const first = await embeddedSidecar(mortal(sql), { app })
    await publish(first, 'jobs', { n: 1 })
    await vi.waitFor(() => expect(app.calls('/jobs')).toHaveLength(1))
    const second = await embeddedSidecar(sql, { app })
    await second.sidecar.idle()
    late.resolve(status('RETRY'))
    await first.sidecar.idle()
    await first.sidecar.stop()
    await second.sidecar.stop()
    const third = await embeddedSidecar(sql, { app })
    await third.sidecar.idle()
    expect(app.calls('/jobs')).toHaveLength(2)
    expect(app.calls('/dead')).toHaveLength(0)
  })
})

describe('an outage of the sidecar', () => {
  it('makes calls fail like those to a process that is gone, and delivers afterwards', async () => {
    const app = appWith({ topic: 'jobs' })
    const dapr: EmbeddedDriver = await embeddedSidecar(await testDatabase(), { app })
    dapr.sidecar.pause()
    await expect(publish(dapr, 'jobs', { n: 1 })).rejects.toThrow('fetch failed')
    dapr.sidecar.resume()
    await publish(dapr, 'jobs', { n: 1 })
    await dapr.sidecar.idle()
    expect(data(app, '/jobs')).toEqual([{ n: 1 }])
  })
})

function retryForever(every: string): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.kafka, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: test }
spec:
  policies: { retries: { patient: { policy: constant, duration: ${every} } } }
  targets: { components: { pubsub: { inbound: { retry: patient } } } }
`
}
