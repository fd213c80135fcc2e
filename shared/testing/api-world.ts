import { afterAll, onTestFinished } from 'vitest'
import { composeDeps } from '../../functions/compose.ts'
import { loadFunctions } from '../../functions/main.ts'
import { readConfig } from '../config.ts'
import type { Fetch } from '../dapr/transport.ts'
import { createChangeStore } from '../db/change-store.ts'
import { connect } from '../db/connect.ts'
import type { CloudEvent } from '../domain/cloud-event.ts'
import { mountFunctions } from '../kit/mount-functions.ts'
import { serve } from '../kit/serve.ts'
import { createLogger } from '../observability/logger.ts'
import { announce } from './announce.ts'
import { createApiClient, type ApiClient, type Person } from './api-client.ts'
import { testDatabase } from './database.ts'
import { givenProduct } from './given-product.ts'

const SIDECAR_TOKEN = 'shown-by-the-sidecar'

/** How the sidecar calls. */
export const asSidecar = { headers: { 'dapr-api-token': SIDECAR_TOKEN } }

/** The whole product on a database of its own. */
export interface ApiWorld extends ApiClient {
  /** Delivers an event as the sidecar does; resolves to SUCCESS, RETRY or DROP. */
  deliver(topic: string, event: CloudEvent): Promise<string>
  /** The port of 127.0.0.1 on which it listens, until the test is over. */
  listen(): Promise<number>
  /** Has the app show a notification; resolves to its id. */
  notify(person: Person): Promise<string>
}

/** A sidecar that answers yes to everything. */
export const obligingSidecar: Fetch = async () => new Response(null, { status: 204 })

export async function apiWorld(sidecarFetch: Fetch = obligingSidecar): Promise<ApiWorld> {
  const sql = await testDatabase()
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const deps = composeDeps(readConfig({}), { sql, log, sidecarFetch, appToken: SIDECAR_TOKEN })
  afterAll(() => deps.publishing.stop())
  const app = mountFunctions(await loadFunctions(), deps)
  const client = createApiClient(async (path, init) => app.request(path, init))
  return {
    ...client,
    deliver: async (topic, event) => {
      const got = await client.ask('POST', `/dapr/events/${topic}`, { ...asSidecar, json: event })
      return (JSON.parse(got.text) as { status: string }).status
    },
    notify: (person) => announce(deps.changes, person.id),
    listen: async () => {
      const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
      onTestFinished(() => server.close(100))
      return server.port
    },
  }
}

/** The product that this run is about, seen from outside: the given one, else one in this process. */
export async function givenWorld(): Promise<ApiClient & Pick<ApiWorld, 'listen' | 'notify'>> {
  const given = givenProduct()
  if (!given) return await apiWorld()
  const port = Number(new URL(given.url).port)
  const sql = connect(given.databaseUrl, { max: 1, applicationName: 'test' })
  afterAll(() => sql.end({ timeout: 1 }))
  return {
    ...createApiClient((path, init) => fetch(given.url + path, init)),
    listen: async () => port,
    notify: (person) => announce(createChangeStore(sql), person.id),
  }
}
