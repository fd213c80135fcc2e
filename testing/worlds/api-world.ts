import { afterAll, onTestFinished } from 'vitest'
import { SYSTEM_RESOURCES } from '../../functions/compose.ts'
import { loadFunctions } from '../../functions/main.ts'
import type { Fetch } from '../../shared/dapr/transport.ts'
import { createChangeStore } from '../../shared/db/changes/change-store.ts'
import { connect } from '../../shared/db/connect.ts'
import { createIdentityStore } from '../../shared/db/auth/identity-store.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { serve } from '../../shared/kit/edge/serve.ts'
import { createSignedLinks } from '../../shared/identity/signed-links.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { resetLink } from '../builders/links.ts'
import { announce } from './announce.ts'
import { createApiClient, type ApiClient, type Person } from './api-client.ts'
import { asSidecar, obligingSidecar } from './compose-daybook.ts'
import { givenProduct } from './given-product.ts'
import { testDaybook } from './test-daybook.ts'

/** The whole product on a database of its own, with the time and the ways out of a real process. */
export interface ApiWorld extends ApiClient {
  /** Delivers an event as the sidecar does; resolves to SUCCESS, RETRY or DROP. */
  deliver(topic: string, event: CloudEvent): Promise<string>
  /** The port of 127.0.0.1 on which it listens, until the test is over. */
  listen(): Promise<number>
  /** Has the app show a notification; resolves to its id. */
  notify(person: Person): Promise<string>
  /** The token of a mail that asks to confirm the person's address. */
  confirmationToken(person: Person): Promise<string>
  /** The token of a mail that lets the person set a new password. */
  resetToken(person: Person): Promise<string>
}

const inAnHour = () => new Date(systemClock.now().getTime() + 60 * 60 * 1000)

export async function apiWorld(sidecarFetch: Fetch = obligingSidecar): Promise<ApiWorld> {
  const resources = { ...SYSTEM_RESOURCES, log: silentLogger, sidecarFetch }
  const { deps } = await testDaybook({ resources })
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
    confirmationToken: ({ id, email }) => deps.identity.links.confirmation(id, email, inAnHour()),
    resetToken: (person) => resetLink(deps.identity.links, person),
    listen: async () => {
      const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
      onTestFinished(() => server.close(100))
      return server.port
    },
  }
}

/** The product that this run is about, seen from outside: the given one, else one in this process. */
export async function givenWorld(): Promise<
  ApiClient & Pick<ApiWorld, 'listen' | 'notify' | 'confirmationToken' | 'resetToken'>
> {
  const given = givenProduct()
  if (!given) return await apiWorld()
  const [url] = given.urls as [string]
  const port = Number(new URL(url).port)
  const sql = connect(given.databaseUrl, { max: 1, applicationName: 'test' })
  afterAll(() => sql.end({ timeout: 1 }))
  const links = createSignedLinks({ store: createIdentityStore(sql), ids: systemIds, clock: systemClock })
  return {
    ...createApiClient((path, init) => fetch(url + path, init)),
    listen: async () => port,
    notify: (person) => announce(createChangeStore(sql), person.id),
    confirmationToken: ({ id, email }) => links.confirmation(id, email, inAnHour()),
    resetToken: (person) => resetLink(links, person),
  }
}
