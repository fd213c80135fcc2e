import { describe, expect, it } from 'vitest'
import type { CloudEvent } from '../domain/cloud-event.ts'
import { silentLogger } from '../observability/logger.ts'
import { createBroker } from './broker.ts'
import { createDaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'

const MAX_BODY = 4 * 1024 * 1024

const event = (n: number, text = ''): CloudEvent => ({
  specversion: '1.0',
  id: `event-${n}`,
  type: 'task.updated',
  source: '/services/tasks',
  time: '2026-11-23T00:00:00.000Z',
  datacontenttype: 'application/json',
  dataversion: '1.0',
  userid: `0199d0a0-0000-7000-8000-00000000000${n % 7}`,
  sequence: String(n).padStart(20, '0'),
  data: { text },
})

/** The bulk publish endpoint with daprd's limit; refuses as malformed what holds `poison`. */
function brokerOn(answer: (body: string) => Response = () => new Response(null, { status: 204 })) {
  const accepted: string[] = []
  const fetch = async (_url: string, init: { body: unknown }) => {
    const body = init.body as string
    if (Buffer.byteLength(body) > MAX_BODY || body.includes('poison')) {
      return Response.json({ errorCode: 'ERR_PUBSUB_EVENTS_SER', message: 'bad' }, { status: 400 })
    }
    const response = answer(body)
    if (response.ok)
      accepted.push(...(JSON.parse(body) as { entryId: string }[]).map(({ entryId }) => entryId))
    return response
  }
  const dapr = createDaprClient({ baseUrl: 'http://sidecar', fetch, timeoutMs: 1000 })
  return { broker: createBroker(dapr, 'pubsub', silentLogger), accepted }
}

describe('broker', () => {
  it('sends a backlog that is larger than one call may be, in the order given', async () => {
    const { broker, accepted } = brokerOn()
    const events = Array.from({ length: 200 }, (_, n) => event(n, '漢'.repeat(15_000)))
    expect(await broker.publishAll('task-events', events)).toEqual(new Set())
    expect(accepted).toEqual(events.map(({ id }) => id))
  })

  it('refuses the event that the sidecar finds malformed, what is behind it of its user, and sends all others', async () => {
    const { broker, accepted } = brokerOn()
    const events = Array.from({ length: 21 }, (_, n) => event(n, n === 13 ? 'poison' : 'fine'))
    expect(await broker.publishAll('task-events', events)).toEqual(new Set(['event-13', 'event-20']))
    expect(accepted).toEqual(events.filter((_, n) => n !== 13 && n !== 20).map(({ id }) => id))
  })

  it('sends nothing of a user behind what was refused in an earlier call, and says so', async () => {
    let calls = 0
    const refusing = () =>
      (calls += 1) === 1
        ? Response.json({ failedEntries: [{ entryId: 'event-2', error: 'no' }] }, { status: 500 })
        : new Response(null, { status: 204 })
    const { broker, accepted } = brokerOn(refusing)
    const events = Array.from({ length: 200 }, (_, n) => event(n, '漢'.repeat(15_000)))
    const behind = events.filter((_, n) => n % 7 === 2).map(({ id }) => id)
    const refused = await broker.publishAll('task-events', events)
    expect(behind.filter((id) => accepted.includes(id))).toEqual([])
    expect(refused.has('event-2')).toBe(true)
    expect(behind.filter((id) => !refused.has(id)).length).toBeLessThan(10)
  })

  it('refuses a single event that is larger than a call may be', async () => {
    const { broker } = brokerOn()
    const refused = await broker.publishAll('task-events', [
      event(1),
      event(2, 'x'.repeat(MAX_BODY)),
      event(3),
    ])
    expect(refused).toEqual(new Set(['event-2']))
  })

  it.each([401, 403, 404, 500, 503])(
    'rejects when the sidecar answers %i, so that everything waits',
    async (status) => {
      const { broker } = brokerOn(() => Response.json({ errorCode: 'ERR', message: 'no' }, { status }))
      await expect(broker.publishAll('task-events', [event(1), event(2)])).rejects.toBeInstanceOf(DaprError)
    },
  )
})
