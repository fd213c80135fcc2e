import { randomBytes, randomUUID } from 'node:crypto'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { Got } from './api-document.ts'

export interface Person {
  id: string
  email: string
  password: string
  token: string
  refreshToken: string
}

export interface Ask {
  token?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  json?: unknown
}

/** Speaks with a Daybook, in this process or at an address. */
export interface ApiClient {
  ask(method: string, path: string, options?: Ask): Promise<Got>
  /** Asks as a person and parses the answer, which has to be a success. */
  have(person: Person, method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** Somebody new, at an address of their own behind a proxy that Daybook may trust. */
  register(options?: { timeZone?: string }): Promise<Person>
  /** The same person in another session. */
  signIn(person: Person): Promise<Person>
  /** The person's events so far, oldest first, as the broker gets them. */
  eventsOf(person: Person): Promise<CloudEvent[]>
}

export type Send = (path: string, init: RequestInit) => Promise<Response>

/** Registrations are counted by address, of which tests from one machine would have one for all. */
export const anAddress = (): { 'x-forwarded-for': string } => ({
  'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}`,
})

export function createApiClient(send: Send): ApiClient {
  const ask: ApiClient['ask'] = async (method, path, { token, headers, body, json } = {}) => {
    const answer = await send(path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
    })
    return { status: answer.status, headers: answer.headers, text: await textOf(answer) }
  }

  const have: ApiClient['have'] = async (person, method, path, body) => {
    const got = await ask(method, path, { token: person.token, ...(body !== undefined && { json: body }) })
    if (got.status >= 300) throw new Error(`${method} ${path} answered ${got.status}: ${got.text}`)
    return got.text === '' ? {} : (JSON.parse(got.text) as Record<string, unknown>)
  }

  const register: ApiClient['register'] = async ({ timeZone } = {}) => {
    const account = { email: `${randomUUID()}@example.org`, password: 'correct horse battery staple' }
    const json = { ...account, ...(timeZone !== undefined && { time_zone: timeZone }) }
    const got = await ask('POST', '/api/auth/register', { json, headers: anAddress() })
    if (got.status !== 201) throw new Error(`register answered ${got.status}: ${got.text}`)
    return { ...account, ...sessionOf(got.text) }
  }

  const signIn: ApiClient['signIn'] = async ({ email, password }) => {
    const json = { email, password }
    const got = await ask('POST', '/api/auth/login', { json, headers: anAddress() })
    if (got.status !== 200) throw new Error(`login answered ${got.status}: ${got.text}`)
    return { email, password, ...sessionOf(got.text) }
  }

  const eventsOf: ApiClient['eventsOf'] = async (person) => {
    const { items } = await have(person, 'GET', '/api/changes?limit=1000')
    return items as CloudEvent[]
  }

  return { ask, have, register, signIn, eventsOf }
}

function sessionOf(text: string): Pick<Person, 'id' | 'token' | 'refreshToken'> {
  const { access_token, refresh_token, user } = JSON.parse(text) as {
    access_token: string
    refresh_token: string
    user: { id: string }
  }
  return { id: user.id, token: access_token, refreshToken: refresh_token }
}

/** Of a live stream, which does not end, what it begins with. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type') !== 'text/event-stream' || !answer.body) return await answer.text()
  const reader = answer.body.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return Buffer.from(value ?? '').toString()
}
