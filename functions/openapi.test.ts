import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { subscribedBrowser } from '../shared/channels/testing/browser.ts'
import {
  apiDocument,
  apiOperations,
  bodySchema,
  breaches,
  exampleOf,
  type ApiOperation,
  type Got,
} from '../shared/testing/api-document.ts'
import type { Ask, Person } from '../shared/testing/api-client.ts'
import { givenWorld } from '../shared/testing/api-world.ts'

let world: Awaited<ReturnType<typeof givenWorld>>
let ada: Person
let eve: Person
beforeAll(async () => {
  world = await givenWorld()
  ada = await world.register()
  eve = await world.register()
})

interface Values {
  params?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
}

const RECURRING = {
  title: 'Water plants',
  recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO',
  due_at: '2027-03-01T09:00:00Z',
}

const newTask = async (person: Person, input: object = { title: 'Pay rent' }) =>
  String((await world.have(person, 'POST', '/api/tasks', input)).id)

const newReminder = async (person: Person) => {
  const task = await newTask(person, { title: 'Pay rent', due_at: '2100-03-01T09:00:00Z' })
  // With channels of its own: what others would be depends on preferences, which no version tells of.
  const input = { offset_minutes: 5, channels: ['in_app'] }
  return String((await world.have(person, 'POST', `/api/tasks/${task}/reminders`, input)).id)
}

const newPushSubscription = () => ({
  endpoint: `https://push.example.org/${randomUUID()}`,
  keys: subscribedBrowser().keys,
})

/** The resource that an operation asks for, in the right state; the others take an open task. */
const RESOURCES: Record<string, (person: Person) => Promise<string>> = {
  reopenTask: async (person) => {
    const id = await newTask(person)
    await world.have(person, 'POST', `/api/tasks/${id}/complete`)
    return id
  },
  restoreTask: async (person) => {
    const id = await newTask(person)
    await world.have(person, 'DELETE', `/api/tasks/${id}`)
    return id
  },
  skipOccurrence: (person) => newTask(person, RECURRING),
  listOccurrences: (person) => newTask(person, RECURRING),
  removePushSubscription: async (person) =>
    String(
      (await world.have(person, 'POST', '/api/notifications/push-subscriptions', newPushSubscription())).id,
    ),
  getReminder: newReminder,
  editReminder: newReminder,
  removeReminder: newReminder,
  snoozeReminder: newReminder,
  acknowledgeReminder: newReminder,
  readNotification: (person) => world.notify(person),
}

/** Bodies that the schema alone cannot make up, because they speak of what is there. */
const BODIES: Record<string, (person: Person) => Promise<unknown>> = {
  createTask: async () => RECURRING,
  snoozeReminder: async () => ({ until: '2100-03-02T09:00:00Z' }),
  addPushSubscription: async () => newPushSubscription(),
  reorderTasks: async (person) => ({ task_ids: [await newTask(person), await newTask(person)] }),
  registerUser: async () => ({
    email: `${randomUUID()}@example.org`,
    password: 'correct horse battery staple',
  }),
  logIn: async (person) => ({ email: person.email, password: person.password }),
  refreshSession: async () => ({ refresh_token: (await world.register()).refreshToken }),
  logOut: async () => ({ refresh_token: (await world.register()).refreshToken }),
}

async function valuesFor(operation: ApiOperation, person: Person): Promise<Values> {
  const { operationId: id, path } = operation
  const schema = bodySchema(operation)
  const body = BODIES[id] ? await BODIES[id](person) : schema && exampleOf(schema)
  return {
    params: path.includes('{id}') ? { id: await (RESOURCES[id] ?? newTask)(person) } : {},
    query: Object.fromEntries(
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'query' && parameter.required)
        .map((parameter) => [parameter.name, String(exampleOf(parameter.schema))]),
    ),
    ...(schema && { body }),
  }
}

function send(operation: ApiOperation, values: Values, options: Ask = {}): Promise<Got> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.params?.[name] ?? '')
  const query = new URLSearchParams(values.query).toString()
  return world.ask(operation.method, query === '' ? path : `${path}?${query}`, {
    ...(values.body !== undefined && { json: values.body }),
    ...options,
  })
}

const codeOf = (got: Got) => (JSON.parse(got.text) as { code: string }).code
const takes = (name: string) => (operation: ApiOperation) =>
  operation.parameters?.some((parameter) => parameter.name === name) ?? false
const isSecured = (operation: ApiOperation) => operation.security.length > 0

describe('every operation of the API document', () => {
  it('has an id of its own, a summary and a tag', () => {
    const ids = apiOperations.map((operation) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(apiOperations.filter(({ summary, tags }) => summary === '' || tags.length === 0)).toEqual([])
    expect(apiOperations.length).toBeGreaterThan(5)
    expect(apiDocument.openapi).toMatch(/^3\.1\./)
  })

  it.each(apiOperations)('$operationId answers as documented', async (operation) => {
    const got = await send(operation, await valuesFor(operation, ada), { token: ada.token })
    expect([got.status, got.text]).toEqual([operation.successStatus, got.text])
    expect(breaches(operation, got)).toEqual([])
  })

  it.each(apiOperations.filter(isSecured))(
    '$operationId refuses a request without a token',
    async (operation) => {
      const got = await send(operation, await valuesFor(operation, ada))
      expect([got.status, ...breaches(operation, got)]).toEqual([401])
    },
  )

  it.each(apiOperations.filter((operation) => operation.path.startsWith('/api/tasks')))(
    '$operationId is served below /api/{user_id}/tasks too, to that user only',
    async (operation) => {
      const alias = { ...operation, path: operation.path.replace('/api/', `/api/${ada.id}/`) }
      const own = await send(alias, await valuesFor(operation, ada), { token: ada.token })
      expect([own.status, ...breaches(operation, own)]).toEqual([operation.successStatus])
      const foreign = await send(alias, await valuesFor(operation, ada), { token: eve.token })
      expect([foreign.status, codeOf(foreign)]).toEqual([403, 'auth.forbidden'])
    },
  )

  it.each(apiOperations.filter((operation) => isSecured(operation) && operation.path.includes('{id}')))(
    "$operationId answers 404 for another user's resource, as for one that never was",
    async (operation) => {
      const values = await valuesFor(operation, ada)
      const foreign = await send(operation, values, { token: eve.token })
      const params = { id: '0199d0a0-0000-7000-8000-000000000000' }
      const unknown = await send(operation, { ...values, params }, { token: eve.token })
      expect([foreign.status, ...breaches(operation, foreign)]).toEqual([404])
      expect([unknown.status, codeOf(unknown)]).toEqual([404, codeOf(foreign)])
    },
  )

  it.each(apiOperations.filter(takes('If-Match')))(
    '$operationId refuses a stale If-Match',
    async (operation) => {
      const headers = { 'if-match': '"999"' }
      const got = await send(operation, await valuesFor(operation, ada), { token: ada.token, headers })
      expect([got.status, ...breaches(operation, got)]).toEqual([412])
    },
  )

  it.each(apiOperations.filter(takes('If-None-Match')))(
    '$operationId answers 304 to who is up to date',
    async (operation) => {
      const values = await valuesFor(operation, ada)
      const first = await send(operation, values, { token: ada.token })
      const headers = { 'if-none-match': first.headers.get('etag') ?? '' }
      const second = await send(operation, values, { token: ada.token, headers })
      expect([second.status, ...breaches(operation, second)]).toEqual([304])
    },
  )

  it.each(apiOperations.filter(takes('Idempotency-Key')))(
    '$operationId gives a retry the stored answer and another request with the key a refusal',
    async (operation) => {
      const values = await valuesFor(operation, ada)
      const headers = { 'idempotency-key': `key-${operation.operationId}` }
      const first = await send(operation, values, { token: ada.token, headers })
      const retry = await send(operation, values, { token: ada.token, headers })
      expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([
        operation.successStatus,
        null,
      ])
      expect([retry.status, retry.headers.get('idempotency-replayed')]).toEqual([
        operation.successStatus,
        'true',
      ])
      expect(retry.text).toBe(first.text)
      expect(retry.headers.get('etag')).toBe(first.headers.get('etag'))
      const other = { ...headers, 'if-match': '"1"' }
      const reused = await send(operation, values, { token: ada.token, headers: other })
      expect([reused.status, codeOf(reused)]).toEqual([422, 'idempotency.key_reused'])
    },
  )

  it.each(apiOperations.filter((operation) => bodySchema(operation)))(
    '$operationId refuses what is not JSON, not UTF-8, not application/json, too large, or not what it takes',
    async (operation) => {
      const { body: _, ...values } = await valuesFor(operation, ada)
      const json = { 'content-type': 'application/json' }
      const wrong: [number, Ask][] = [
        [400, { headers: json, body: '{"title":' }],
        [400, { headers: json, body: new Uint8Array([0x22, 0xc3, 0x28, 0x22]) }],
        [415, { headers: { 'content-type': 'text/plain' }, body: '{}' }],
        [413, { headers: json, body: JSON.stringify('x'.repeat(1024 * 1024)) }],
        [422, { headers: json, body: '[]' }],
        [422, { headers: json, body: '{"nobody_knows_this_field":1}' }],
      ]
      for (const [status, ask] of wrong) {
        const got = await send(operation, values, { token: ada.token, ...ask })
        expect([got.status, ...breaches(operation, got)]).toEqual([status])
      }
    },
  )
})
