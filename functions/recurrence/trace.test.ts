import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSidecar, type Sidecar } from '../../dapr/embedded/sidecar.ts'
import { testResources } from '../../testing/sidecar/embedded-sidecar.ts'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import { createBroker } from '../../shared/dapr/broker.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { systemClock } from '../../shared/kit/system.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { deps, newUser, sql } = service
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** What the sidecar delivered to the worker. */
const delivered: (CloudEvent & { traceid?: string })[] = []
let sidecar: Sidecar

beforeAll(async () => {
  sidecar = createSidecar({
    appId: 'recurrence-worker',
    sql,
    resources: testResources(),
    appToken: deps.settings.appToken,
    clock: systemClock,
    env: {},
    dataDir: '.',
    logger: silentLogger,
    fetch: async () => Promise.reject(new Error('no network in this test')),
    app: async (request) => {
      if (new URL(request.url).pathname === '/dapr/events/task-events') {
        const { entries } = (await request.clone().json()) as { entries: { event: CloudEvent }[] }
        delivered.push(...entries.map(({ event }) => event))
      }
      return service.app.fetch(request)
    },
  })
  await sidecar.start()
})
afterAll(() => sidecar.stop())

/** A daily task completed in a request with these headers, its events through the broker and its next occurrence made. */
async function completed(user: Client, headers: Record<string, string>) {
  const { id } = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
  await user.does('POST', `/api/tasks/${id}/complete`, undefined, headers)
  const dapr = createDaprClient({
    baseUrl: 'http://sidecar',
    timeoutMs: 5000,
    fetch: (url, init) => sidecar.fetch(new Request(url, init)),
  })
  await publishPending({ ...deps, broker: createBroker(dapr, 'pubsub', silentLogger) })
  await sidecar.idle()
  const message = delivered.findLast(({ userid, type }) => userid === user.id && type === 'task.completed')!
  const effect = (await user.events()).find(({ type }) => type === 'task.occurrence.generated')!
  return { message, effect }
}

const traceIdOf = (traceparent: string | null | undefined) => traceparent?.split('-')[1]
const spanOf = (traceparent: string | null | undefined) => traceparent?.split('-')[2]

describe('a trace', () => {
  it('that a request brings is that of its event and of the effect', async () => {
    const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'shop=t61' }
    const { message, effect } = await completed(newUser(), headers)
    expect(traceIdOf(message.traceparent)).toBe(TRACE)
    // Without it daprd would put its own in place of both.
    expect(message.traceid).toBe(message.traceparent)
    expect(message.tracestate).toBe('shop=t61')
    expect(traceIdOf(effect.traceparent)).toBe(TRACE)
    expect(effect.traceparent.endsWith('-01')).toBe(true)
    const spans = [headers.traceparent, message.traceparent, effect.traceparent].map(spanOf)
    expect(new Set(spans).size).toBe(3)
  })

  it.each([
    {},
    { traceparent: '00-00000000000000000000000000000000-00f067aa0ba902b7-01' },
    { traceparent: 'x' },
  ])('begins with a request that brings none, as with %j', async (headers) => {
    const { message, effect } = await completed(newUser(), headers)
    expect(message.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    expect(traceIdOf(effect.traceparent)).toBe(traceIdOf(message.traceparent))
  })

  it('is that of the event, also when the sidecar calls in another', async () => {
    const user = newUser()
    const { message } = await completed(user, {})
    const other = newUser()
    const { id } = await other.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await other.does('POST', `/api/tasks/${id}/complete`)
    const [done] = (await other.events()).filter(({ type }) => type === 'task.completed')
    const event = { ...message, id: deps.ids.uuid(), userid: other.id, data: done!.data }
    await service.app.request('/dapr/events/task-events', {
      method: 'POST',
      body: JSON.stringify({ ...event, traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }),
      headers: {
        'dapr-api-token': deps.settings.appToken,
        traceparent: '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01',
      },
    })
    const effect = (await other.events()).find(({ type }) => type === 'task.occurrence.generated')
    expect(traceIdOf(effect?.traceparent)).toBe(TRACE)
  })
})
