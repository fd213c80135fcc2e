import { onTestFinished } from 'vitest'
import { readConfig } from '../../../shared/config.ts'
import type { Sql } from '../../../shared/db/connect.ts'
import { FULL_SCOPE } from '../../../shared/domain/identity.ts'
import { createEventStreams, type SetTimer } from '../../../shared/kit/event-streams.ts'
import { mountFunctions } from '../../../shared/kit/mount-functions.ts'
import { serve } from '../../../shared/kit/serve.ts'
import { silentLogger } from '../../../shared/observability/logger.ts'
import { createApiClient, type ApiClient, type Person } from '../../../shared/testing/api-client.ts'
import { obligingSidecar } from '../../../shared/testing/api-world.ts'
import {
  openEventStream,
  type EventStream,
  type StreamOptions,
} from '../../../shared/testing/event-stream.ts'
import { composeDeps, type ComposedDeps } from '../../compose.ts'
import { loadFunctions } from '../../main.ts'

/** Somebody with an access token, which is all that a stream asks of an account. */
export type Listener = Pick<Person, 'id' | 'token'>

/** One process of Daybook on a database that it shares with others. */
export interface Replica extends Pick<ApiClient, 'ask'> {
  deps: ComposedDeps
  url: string
  newListener(): Promise<Listener>
  ticketFor(listener: Listener): Promise<string>
  /** Opens the stream of notifications. */
  listen(listener: Listener, options?: StreamOptions & { query?: string }): Promise<EventStream>
  /** As the process does when it is told to end. */
  close(): Promise<void>
}

export async function startReplica(sql: Sql, options: { setTimer?: SetTimer } = {}): Promise<Replica> {
  const outside = { sql, log: silentLogger, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const composed = composeDeps(readConfig({}), outside)
  const { clock, ids, log } = composed
  const deps = { ...composed, streams: createEventStreams({ clock, ids, log, ...options }) }
  const names = ['auth/issue-ticket', 'sync/stream-notifications']
  const app = mountFunctions(await loadFunctions(names), deps)
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${server.port}`
  let closed: Promise<void> | undefined
  const close = () => {
    deps.streams.endAll()
    return (closed ??= server.close(5000).then(() => deps.publishing.stop()))
  }
  onTestFinished(close)
  const { ask } = createApiClient(async (path, init) => app.request(path, init))
  return {
    ...{ deps, url, ask, close },
    async newListener() {
      const id = ids.uuid()
      const token = await deps.identity.tokens.issue({ userId: id, timeZone: 'UTC', scopes: [FULL_SCOPE] })
      return { id, token }
    },
    async ticketFor({ token }) {
      const { text } = await ask('POST', '/api/auth/ticket', { token })
      return (JSON.parse(text) as { ticket: string }).ticket
    },
    async listen({ token }, { query = '', headers = {}, ...others } = {}) {
      const signedIn = query.includes('ticket=') ? {} : { authorization: `Bearer ${token}` }
      const address = `${url}/api/notifications/stream${query}`
      const stream = await openEventStream(address, { ...others, headers: { ...signedIn, ...headers } })
      onTestFinished(stream.close)
      return stream
    },
  }
}
