import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseResources } from '../../dapr/embedded/resources.ts'
import { createSidecar } from '../../dapr/embedded/sidecar.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { invokedNextOccurrences } from '../../shared/dapr/next-occurrences.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemClock } from '../../shared/kit/system.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import createNextOccurrence from '../recurrence/create-next-occurrence.ts'
import { deliver, takeMessages } from '../recurrence/testing/messages.ts'
import makeNextOccurrence from './make-next-occurrence.ts'
import { taskService, type Client } from './testing/task-service.ts'

const service = await taskService([makeNextOccurrence])
const { newUser, deps } = service
const SUCCESS = { status: 'SUCCESS' }
const RETRY = { status: 'RETRY' }

type App = (request: Request) => Response | Promise<Response>
const tasksApi: App = (request) => service.app.fetch(request)

/** The worker with a sidecar of its own that reaches tasks-api, which writes nothing itself. */
function worker(app: App = tasksApi, timeoutMs = 15_000) {
  const sidecar = createSidecar({
    ...{ appId: 'recurrence-worker', sql: service.sql, resources: parseResources([]) },
    ...{ app: () => new Response(null, { status: 404 }), apps: new Map([['tasks-api', app]]) },
    ...{ clock: systemClock, env: {}, dataDir: '.', logger: silentLogger, appToken: deps.settings.appToken },
    fetch: async () => Promise.reject(new Error('no network in this test')),
  })
  // The sidecar in this process knows no deadline of its own, so the call is given up here.
  const givingUp = (url: string, init: RequestInit) =>
    Promise.race([
      sidecar.fetch(new Request(url, init)),
      new Promise<never>((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
    ])
  const dapr = createDaprClient({ baseUrl: 'http://sidecar', fetch: givingUp, timeoutMs: 5000 })
  const commit = () => Promise.reject(new Error('the worker has nothing to write'))
  const own = {
    ...deps,
    changes: { ...deps.changes, commit },
    nextOccurrences: invokedNextOccurrences(dapr, timeoutMs),
  }
  return { ...service, app: mountFunctions([createNextOccurrence], own) }
}

async function completed(user: Client, headers: Record<string, string> = {}) {
  service.at('2026-03-02T08:00:00Z')
  const { id } = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
  await user.does('POST', `/api/tasks/${id}/complete`, undefined, headers)
  const message = (await takeMessages(service)).find(({ type }) => type === 'task.completed')
  return message!
}

const made = async (user: Client) =>
  (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')

describe('the worker that has occurrences made by tasks-api', () => {
  it('has one made for a message that is delivered twenty times at once', async () => {
    const user = newUser()
    const message = await completed(user)
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(worker(), message)))
    expect(answers).toEqual(Array.from({ length: 20 }, () => SUCCESS))
    expect((await made(user)).map(({ data }) => data.task.due_date)).toEqual(['2026-03-03'])
    expect(await service.sql`select consumer from processed_events where event_id = ${message.id}`).toEqual([
      { consumer: 'create-next-occurrence' },
    ])
  })

  it.each<[string, App]>([
    ['was killed before', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    [
      'was killed after it had made one',
      async (request) => {
        await tasksApi(request)
        throw new Error('socket hang up')
      },
    ],
    ['answers 500', () => new Response('{}', { status: 500 })],
    [
      'answers 500 after it had made one',
      async (request) => (await tasksApi(request), new Response('{}', { status: 500 })),
    ],
    ['does not take the token', () => new Response('{}', { status: 401 })],
    ['does not know the path', () => new Response('{}', { status: 404 })],
  ])('has one made, by a second delivery, when tasks-api %s', async (_, fault) => {
    const user = newUser()
    const message = await completed(user)
    expect(await deliver(worker(fault), message)).toEqual(RETRY)
    expect(await deliver(worker(), message)).toEqual(SUCCESS)
    expect(await made(user)).toHaveLength(1)
  })

  it('has one made when tasks-api is still at it while the message comes again', async () => {
    const user = newUser()
    const message = await completed(user)
    const late = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<number>()
    const slow: App = async (request) => {
      await late.promise
      const answer = await tasksApi(request)
      answered.resolve(answer.status)
      return answer
    }
    expect(await deliver(worker(slow, 50), message)).toEqual(RETRY)
    expect(await deliver(worker(), message)).toEqual(SUCCESS)
    late.resolve()
    expect(await answered.promise).toBe(204)
    expect(await made(user)).toHaveLength(1)
  })

  it('keeps the trace of the request', async () => {
    const user = newUser()
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const message = await completed(user, {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      tracestate: 'shop=t61',
    })
    await deliver(worker(), message)
    expect((await made(user))[0]!.traceparent).toContain(traceId)
  })
})

it('is what the access rules of Kubernetes let the worker call', () => {
  const rules = readFileSync(new URL('../../dapr/configuration/kubernetes.yaml', import.meta.url), 'utf8')
  expect(rules).toContain('{ name: /internal/next-occurrences, httpVerb: [POST], action: allow }')
})

describe('POST /internal/next-occurrences', () => {
  const ask = (body: unknown, token?: string) =>
    service.app.request('/internal/next-occurrences', {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { 'dapr-api-token': token }),
      },
    })

  it.each([undefined, '', 'of-the-sidecaR', 'of-the-sidecar-and-more'])(
    'refuses who shows the token %j',
    async (token) => {
      expect((await ask({}, token)).status).toBe(401)
    },
  )

  it('refuses what is no request of ours', async () => {
    const id = deps.ids.uuid()
    const mark = { consumer: 'x', event_id: 'y' }
    for (const body of [{}, { user_id: id, series_id: id }, { user_id: id, series_id: 'x', mark }]) {
      expect((await ask(body, deps.settings.appToken)).status).toBe(422)
    }
  })

  it('does nothing for a series of somebody else', async () => {
    const [user, other] = [newUser(), newUser()]
    const message = await completed(user)
    const { series_id } = (message.data as { task: { series_id: string } }).task
    const mark = { consumer: 'create-next-occurrence', event_id: message.id }
    expect((await ask({ user_id: other.id, series_id, mark }, deps.settings.appToken)).status).toBe(204)
    expect(await made(user)).toEqual([])
    await deliver(worker(), message)
  })
})
