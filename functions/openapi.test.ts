import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { subscribedBrowser } from '../testing/worlds/browser.ts'
import {
  apiDocument,
  apiOperations,
  bodyExample,
  bodySchema,
  breaches,
  exampleBreaches,
  exampleOf,
  type ApiOperation,
  type Got,
} from '../testing/worlds/api-document.ts'
import { anAddress, type Ask, type Person } from '../testing/worlds/api-client.ts'
import { givenWorld } from '../testing/worlds/api-world.ts'
import { systemClock } from '../shared/kit/system.ts'

let world: Awaited<ReturnType<typeof givenWorld>>
let ada: Person
let eve: Person
beforeAll(async () => {
  world = await givenWorld()
  ada = await world.register()
  eve = await world.register()
  // Within an hour of the first mail, only who needs none may ask for another.
  const token = await world.confirmationToken(ada)
  await world.have(ada, 'POST', '/api/auth/confirm', { token })
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

const newApiToken = () => ({ name: randomUUID(), scopes: ['tasks:read'] })

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
  snoozeReminder: async (person) => {
    const soon = new Date(systemClock.now().getTime() + 5 * 60_000).toISOString()
    const path = `/api/tasks/${await newTask(person)}/reminders`
    return String((await world.have(person, 'POST', path, { remind_at: soon })).id)
  },
  acknowledgeReminder: newReminder,
  giveFeedback: async (person) => `next.${await newTask(person)}`,
  readNotification: (person) => world.notify(person),
  endSession: async (person) => {
    const { items } = await world.have(await world.signIn(person), 'GET', '/api/auth/sessions')
    return (items as { id: string; current: boolean }[]).find(({ current }) => current)!.id
  },
  revokeApiToken: async (person) =>
    String((await world.have(person, 'POST', '/api/tokens', newApiToken())).id),
}

/** After it the token or the password of its person is good for nothing. */
const NEEDS_A_PERSON = new Set(['endSessions', 'deleteMe', 'changePassword'])

/** What an example cannot say, because it names what is there, or must not be there twice. */
const NAMES: Record<string, (person: Person) => Promise<object>> = {
  confirmAddress: async (person) => ({ token: await world.confirmationToken(person) }),
  addPushSubscription: async () => newPushSubscription(),
  reorderTasks: async (person) => ({ task_ids: [await newTask(person), await newTask(person)] }),
  createApiToken: async () => newApiToken(),
  registerUser: async () => ({ email: `${randomUUID()}@example.org` }),
  logIn: async (person) => ({ email: person.email, password: person.password }),
  changePassword: async ({ password }) => ({ old_password: password, new_password: `${password} again` }),
  askPasswordReset: async ({ email }) => ({ email }),
  resetPassword: async () => ({ token: await world.resetToken(await world.register()) }),
  deleteMe: async ({ password }) => ({ password }),
  refreshSession: async () => ({ refresh_token: (await world.register()).refreshToken }),
  logOut: async () => ({ refresh_token: (await world.register()).refreshToken }),
}

async function valuesFor(operation: ApiOperation, person: Person): Promise<Values> {
  const { operationId: id, path } = operation
  const example = bodyExample(operation)
  const body = NAMES[id] ? { ...(example as object), ...(await NAMES[id](person)) } : example
  return {
    params: path.includes('{id}') ? { id: await (RESOURCES[id] ?? newTask)(person) } : {},
    query: Object.fromEntries(
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'query' && parameter.required)
        .map((parameter) => [parameter.name, String(exampleOf(parameter.schema))]),
    ),
    ...(body !== undefined && { body }),
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

  it('has an example of each request, which fits its schema', () => {
    const requests = apiOperations.filter((operation) => operation.requestBody)
    expect(requests.length).toBeGreaterThan(5)
    expect(requests.flatMap((operation) => exampleBreaches(operation))).toEqual([])
  })

  it('has examples of an account and a browser that can be sent as they are', async () => {
    const sent = async (id: string, token?: string) => {
      const operation = apiOperations.find(({ operationId }) => operationId === id)!
      const body = bodyExample(operation)
      return await send(operation, { body }, { ...(token !== undefined && { token }), headers: anAddress() })
    }
    expect((await sent('registerUser')).status).toBe(201)
    const signedIn = await sent('logIn')
    expect(signedIn.status).toBe(200)
    const { access_token: token } = JSON.parse(signedIn.text) as { access_token: string }
    expect((await sent('addPushSubscription', token)).status).toBe(201)
    // These name what only answers tell.
    expect((await sent('reorderTasks', token)).status).toBe(422)
    expect((await sent('confirmAddress')).status).toBe(410)
    expect((await sent('refreshSession')).status).toBe(401)
  })

  const lists = apiOperations.filter(({ method }) => method === 'GET')
  it.each(lists)('$operationId takes all its defaults at once, as a form sends them', async (operation) => {
    const values = await valuesFor(operation, ada)
    const defaults = (operation.parameters ?? [])
      // Lists begin empty, and a form leaves out what is empty.
      .filter(
        ({ schema: { default: value } }) => value !== undefined && value !== '' && !Array.isArray(value),
      )
      .map(({ name, schema }) => [name, String(schema.default as string | number | boolean)])
    const query = { ...values.query, ...(Object.fromEntries(defaults) as Record<string, string>) }
    const got = await send(operation, { ...values, query }, { token: ada.token })
    expect([got.status, ...breaches(operation, got)]).toEqual([operation.successStatus])
  })

  it.each(apiOperations)('$operationId answers as documented', async (operation) => {
    const person = NEEDS_A_PERSON.has(operation.operationId) ? await world.register() : ada
    const got = await send(operation, await valuesFor(operation, person), { token: person.token })
    expect([got.status, got.text]).toEqual([operation.successStatus, got.text])
    expect(breaches(operation, got)).toEqual([])
  })

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
      // Nobody else's requests leave events of this one, later than their answers, as what follows a completion does.
      const owner = await world.register()
      await world.have(owner, 'PUT', '/api/notifications/preferences', { default_reminder_minutes: null })
      const values = await valuesFor(operation, owner)
      const happened = await world.eventsOf(owner)
      const foreign = await send(operation, values, { token: eve.token })
      const params = { id: '0199d0a0-0000-7000-8000-000000000000' }
      const unknown = await send(operation, { ...values, params }, { token: eve.token })
      expect([foreign.status, ...breaches(operation, foreign)]).toEqual([404])
      expect([unknown.status, codeOf(unknown)]).toEqual([404, codeOf(foreign)])
      expect(await world.eventsOf(owner)).toEqual(happened)
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

  it.each(apiOperations.filter(takes('If-Match')))(
    '$operationId refuses to change what If-None-Match names, and whatever there is for *',
    async (operation) => {
      const values = await valuesFor(operation, ada)
      const tags = Array.from({ length: 9 }, (_, n) => `W/"${n}"`).join(', ,')
      for (const condition of ['*', tags]) {
        const headers = { 'if-none-match': condition }
        const got = await send(operation, values, { token: ada.token, headers })
        expect([got.status, ...breaches(operation, got)]).toEqual([412])
      }
    },
  )

  const reads = apiOperations.filter(({ method }) => method === 'GET')
  it.each(reads.filter(takes('If-None-Match')))(
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
        [415, { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('{}') }],
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
