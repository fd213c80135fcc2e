import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createUpstreams } from '../../shared/dapr/other-units.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { serve } from '../../shared/kit/edge/serve.ts'
import { systemClock, systemTimer } from '../../shared/kit/system.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { announce } from '../../testing/worlds/announce.ts'
import { createApiClient, type Person } from '../../testing/worlds/api-client.ts'
import { obligingSidecar } from '../../testing/worlds/compose-daybook.ts'
import { openEventStream, type EventStream } from '../../testing/worlds/event-stream.ts'
import { APP_TOKEN, sidecarPair } from '../../testing/worlds/sidecar-pair.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { SYSTEM_RESOURCES } from '../compose.ts'
import { loadFunctions } from '../main.ts'
import gateway from '../web/gateway.ts'

const STREAM = '/api/notifications/stream'
/** Of the resiliency policy of all other units. */
const TIMEOUT_MS = 30_000

/** The unit `sync`, with accounts beside it, and a gateway that reaches it through two daprds. */
async function givenUnits() {
  const resources = {
    ...SYSTEM_RESOURCES,
    log: silentLogger,
    sidecarFetch: obligingSidecar,
    appToken: APP_TOKEN,
  }
  const { deps } = await testDaybook({ resources })
  const names = ['sync/stream-notifications', 'auth/register-user', 'health/get-health']
  const app = mountFunctions(await loadFunctions(names), deps)
  // All clients are of this machine.
  const isExempt = () => true
  const sync = await serve(app.fetch, { port: 0, host: '127.0.0.1' }, { isExempt })
  const { dapr } = await sidecarPair('web-api', sync.port, 'sync')
  const web = mountFunctions([gateway], {
    ...deps,
    upstreams: createUpstreams(dapr, { clock: systemClock, startTimer: systemTimer }),
  })
  const front = await serve(web.fetch, { port: 0, host: '127.0.0.1' }, { isExempt })
  const url = `http://127.0.0.1:${front.port}`
  return {
    ...createApiClient(async (path, init) => app.request(path, init)),
    deps,
    dapr,
    url,
    open: async (token: string, headers: Record<string, string> = {}): Promise<EventStream> => {
      const signedIn = { authorization: `Bearer ${token}`, ...headers }
      const stream = await openEventStream(url + STREAM, { headers: signedIn })
      onTestFinished(stream.close)
      return stream
    },
    async close() {
      deps.streams.endAll()
      await Promise.all([sync.close(5000), front.close(5000)])
      await deps.publishing.stop()
    },
  }
}

let units: Awaited<ReturnType<typeof givenUnits>>
beforeAll(async () => {
  units = await givenUnits()
  return () => units.close()
})

const told = (stream: EventStream) => stream.messages.filter(({ event }) => event === 'reminder')

describe('the stream of notifications over real sidecars', () => {
  it('lasts longer than any other answer may, and is told at once', { timeout: 90_000 }, async () => {
    const person = await units.register()
    const stream = await units.open(person.token)
    const startedAt = performance.now()
    const isLate = () => performance.now() - startedAt > TIMEOUT_MS + 5000
    await vi.waitFor(() => expect(isLate()).toBe(true), { timeout: 60_000, interval: 500 })
    const writtenAt = Date.now()
    await announce(units.deps.changes, person.id)
    await vi.waitFor(() => expect(told(stream)).toHaveLength(1), { timeout: 5000 })
    expect(told(stream)[0]!.at - writtenAt).toBeLessThan(1000)
    expect(stream.messages.map(({ event }) => event)).toEqual(['connected', 'heartbeat', 'reminder'])

    const headers = { 'last-event-id': stream.messages[0]!.id }
    const resumed = await units.open(person.token, headers)
    await vi.waitFor(() => expect(told(resumed)).toHaveLength(1), { timeout: 5000 })
    expect(told(resumed)[0]).toMatchObject({ id: told(stream)[0]!.id, data: told(stream)[0]!.data })
  })

  it('is refused to who shows no token, as it is in one process', async () => {
    const answer = await fetch(units.url + STREAM, { headers: { accept: 'text/event-stream' } })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ code: 'auth.required' })
  })

  it('is over for the unit when its client goes away', { timeout: 30_000 }, async () => {
    const { token } = await units.register()
    const before = units.deps.streams.count()
    const streams = await Promise.all(Array.from({ length: 5 }, () => units.open(token)))
    await vi.waitFor(() => expect(units.deps.streams.count()).toBe(before + 5), 5000)
    for (const stream of streams) stream.close()
    await vi.waitFor(() => expect(units.deps.streams.count()).toBe(before), 10_000)
  })

  it('leaves room for other requests when there are many', { timeout: 60_000 }, async () => {
    const people: Person[] = []
    while (people.length < 20) people.push(await units.register())
    const streams = await Promise.all(
      people.flatMap(({ token }) => Array.from({ length: 10 }, () => units.open(token))),
    )
    await vi.waitFor(
      () => expect(streams.filter(({ messages }) => messages.length > 0)).toHaveLength(200),
      20_000,
    )
    const other = await units.dapr.invoke('sync', { method: 'GET', path: '/healthz' })
    expect(other.status).toBe(200)
    await Promise.all(people.map(({ id }) => announce(units.deps.changes, id)))
    await vi.waitFor(() => expect(streams.filter((one) => told(one).length === 1)).toHaveLength(200), 20_000)
  })
})
