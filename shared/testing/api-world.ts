import type { Hono } from 'hono'
import { afterAll } from 'vitest'
import { composeDeps } from '../../functions/compose.ts'
import { loadFunctions } from '../../functions/main.ts'
import { readConfig } from '../config.ts'
import type { Fetch } from '../dapr/transport.ts'
import type { CloudEvent } from '../domain/cloud-event.ts'
import type { AppEnv } from '../kit/base-app.ts'
import { mountFunctions } from '../kit/mount-functions.ts'
import { createLogger } from '../observability/logger.ts'
import type { Got } from './api-document.ts'
import { testDatabase } from './database.ts'

const SIDECAR_TOKEN = 'shown-by-the-sidecar'

/** How the sidecar calls. */
export const asSidecar = { headers: { 'dapr-api-token': SIDECAR_TOKEN } }

export interface Person {
  id: string
  email: string
  password: string
  token: string
  refreshToken: string
}

/** The whole product on a database of its own. */
export interface ApiWorld {
  app: Hono<AppEnv>
  ask(method: string, path: string, options?: Ask): Promise<Got>
  /** Asks as a person and parses the answer, which has to be a success. */
  have(person: Person, method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  register(): Promise<Person>
  /** The person's events so far, oldest first, as the broker gets them. */
  eventsOf(person: Person): Promise<CloudEvent[]>
  /** Delivers an event as the sidecar does; resolves to SUCCESS, RETRY or DROP. */
  deliver(topic: string, event: CloudEvent): Promise<string>
}

export interface Ask {
  token?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  json?: unknown
}

/** A sidecar that answers yes to everything. */
export const obligingSidecar: Fetch = async (url) =>
  url.includes('/bulk') ? Response.json({ failedEntries: [] }) : new Response(null, { status: 204 })

export async function apiWorld(sidecarFetch: Fetch = obligingSidecar): Promise<ApiWorld> {
  const sql = await testDatabase()
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const deps = composeDeps(readConfig({}), { sql, log, sidecarFetch, appToken: SIDECAR_TOKEN })
  afterAll(() => deps.publishing.stop())
  const app = mountFunctions(await loadFunctions(), deps)
  let people = 0

  const ask: ApiWorld['ask'] = async (method, path, { token, headers, body, json } = {}) => {
    const answer = await app.request(path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  const have: ApiWorld['have'] = async (person, method, path, body) => {
    const got = await ask(method, path, { token: person.token, ...(body !== undefined && { json: body }) })
    if (got.status >= 300) throw new Error(`${method} ${path} answered ${got.status}: ${got.text}`)
    return got.text === '' ? {} : (JSON.parse(got.text) as Record<string, unknown>)
  }

  const register = async (): Promise<Person> => {
    const account = { email: `person-${++people}@example.org`, password: 'correct horse battery staple' }
    const got = await ask('POST', '/api/auth/register', { json: account })
    if (got.status !== 201) throw new Error(`register answered ${got.status}: ${got.text}`)
    const session = JSON.parse(got.text) as {
      access_token: string
      refresh_token: string
      user: { id: string }
    }
    return {
      ...{ ...account, id: session.user.id },
      ...{ token: session.access_token, refreshToken: session.refresh_token },
    }
  }

  const eventsOf: ApiWorld['eventsOf'] = async (person) => {
    const { items } = await have(person, 'GET', '/api/changes?limit=1000')
    return items as CloudEvent[]
  }

  const deliver: ApiWorld['deliver'] = async (topic, event) => {
    const got = await ask('POST', `/dapr/events/${topic}`, { ...asSidecar, json: event })
    return (JSON.parse(got.text) as { status: string }).status
  }

  return { app, ask, have, register, eventsOf, deliver }
}
