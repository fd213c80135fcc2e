import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp } from '../sidecar/recording-app.ts'
import { inboundRetries, pubsubComponent } from './harness/components.ts'
import { expectedHere } from './harness/expected-here.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

let dapr: Driver
let publisher: Driver
const topic = unique('away')
/** After so long Redis gives a message to another who reads. */
const REDIS_TAKES_BACK_MS = 3000

beforeAll(async () => {
  const app = createRecordingApp()
  app.subscriptions = [{ pubsubname: 'pubsub', topic, route: '/away', deadLetterTopic: `${topic}-dead` }]
  dapr = await startSidecar({
    app,
    checksAppHealth: true,
    hasPubsub: false,
    resources: [
      pubsubComponent('pubsub', {
        redis: { processingTimeout: `${REDIS_TAKES_BACK_MS}ms`, redeliverInterval: '1000' },
      }),
      inboundRetries({ pubsub: { policy: 'constant', duration: '20ms', maxRetries: 2 } }),
    ],
  })
  const other = createRecordingApp()
  other.subscriptions = [{ pubsubname: 'pubsub', topic: `${topic}-dead`, route: '/dead' }]
  publisher = await startSidecar({ app: other, beside: dapr })
})

// What daprd says to a call once its health check has found the app away.
const UNHEALTHY = 'rpc error: code = Internal desc = app is not in a healthy state'
const call = async () => await refusalOf(await dapr.call(`/v1.0/invoke/${dapr.appId}/method/x`))

describe('an app that is away', () => {
  it('gets no calls meanwhile, and its jobs and events when it is back', async () => {
    const job = { dueTime: '0s', data: {}, failurePolicy: { drop: {} } }
    const message = expectedHere('app-health.call', UNHEALTHY)
    await dapr.stopApp()
    await eventually(async () =>
      expect(await call()).toBe(`500 ERR_DIRECT_INVOKE failed to invoke, id: ${dapr.appId}, err: ${message}`),
    )
    await dapr.call('/v1.0/jobs/away', { method: 'POST', body: JSON.stringify(job) })
    const publishedAt = Date.now()
    await publisher.call(`/v1.0/publish/pubsub/${topic}?metadata.partitionKey=k`, {
      method: 'POST',
      body: '{}',
    })
    await publisher.call('/v1.0/jobs/marker', { method: 'POST', body: JSON.stringify(job) })
    await eventually(() => expect(publisher.app.calls('/job/marker')).toHaveLength(1))
    const isKept = expectedHere('app-health.event', 'kept') === 'kept'
    if (!isKept) await eventually(() => expect(publisher.app.calls('/dead')).toHaveLength(1))
    await dapr.startApp()
    if (isKept) {
      await eventually(() => expect(dapr.app.calls('/away')).toHaveLength(1))
      const waitedMs = dapr.app.calls('/away')[0]!.at.getTime() - publishedAt
      expect(waitedMs).toBeGreaterThanOrEqual(expectedHere('app-health.redelivery', 0))
    }
    if (expectedHere('app-health.job', 'kept') === 'kept')
      await eventually(() => expect(dapr.app.calls('/job/away')).toHaveLength(1))
    else expect(dapr.app.calls('/job/away')).toHaveLength(0)
  })
})
