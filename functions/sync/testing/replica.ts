import { onTestFinished } from 'vitest'
import { readConfig } from '../../../shared/config.ts'
import type { Sql } from '../../../shared/db/connect.ts'
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

/** One process of Daybook on a database that it shares with others. */
export interface Replica extends ApiClient {
  deps: ComposedDeps
  url: string
  /** Opens the stream of notifications and waits until it is connected. */
  listen(person: Person, options?: StreamOptions & { query?: string }): Promise<EventStream>
  /** As the process does when it is told to end. */
  close(): Promise<void>
}

export async function startReplica(sql: Sql, options: { setTimer?: SetTimer } = {}): Promise<Replica> {
  const outside = { sql, log: silentLogger, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const composed = composeDeps(readConfig({}), outside)
  const { clock, ids, log } = composed
  const deps = { ...composed, streams: createEventStreams({ clock, ids, log, ...options }) }
  const names = ['auth/register-user', 'auth/issue-ticket', 'sync/stream-notifications', 'sync/list-changes']
  const app = mountFunctions(await loadFunctions(names), deps)
  const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${server.port}`
  let closed: Promise<void> | undefined
  const close = () => {
    deps.streams.endAll()
    return (closed ??= server.close(5000).then(() => deps.publishing.stop()))
  }
  onTestFinished(close)
  return {
    ...createApiClient(async (path, init) => app.request(path, init)),
    ...{ deps, url, close },
    async listen(person, { query = '', headers = {}, ...others } = {}) {
      const signedIn = query.includes('ticket=') ? {} : { authorization: `Bearer ${person.token}` }
      const address = `${url}/api/notifications/stream${query}`
      const stream = await openEventStream(address, { ...others, headers: { ...signedIn, ...headers } })
      onTestFinished(stream.close)
      return stream
    },
  }
}
