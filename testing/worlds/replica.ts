import { onTestFinished } from 'vitest'
import type { Sql } from '../../shared/db/connect.ts'
import type { Session } from '../../shared/domain/auth/identity-session.ts'
import type { Clock, StartTimer } from '../../shared/app/ports.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { serve } from '../../shared/kit/edge/serve.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { createApiClient, type ApiClient, type Person } from './api-client.ts'
import { composeDaybook, obligingSidecar } from './compose-daybook.ts'
import { openSession } from './open-session.ts'
import { openEventStream, type EventStream, type StreamOptions } from './event-stream.ts'
import { SYSTEM_RESOURCES, type ComposedDeps } from '../../functions/compose.ts'
import { loadFunctions } from '../../functions/main.ts'

/** Somebody with a session, which is all that a stream asks of an account. */
interface Listener extends Pick<Person, 'id' | 'token'> {
  session: Session
}

/** One process of Daybook on a database that it shares with others. */
export interface Replica extends Pick<ApiClient, 'ask'> {
  deps: ComposedDeps
  url: string
  /** Somebody new, or another session of somebody. */
  newListener(id?: string): Promise<Listener>
  ticketFor(listener: Listener): Promise<string>
  /** Opens a stream, that of notifications unless it says otherwise. */
  listen(
    listener: Pick<Listener, 'token'>,
    options?: StreamOptions & { query?: string; path?: string },
  ): Promise<EventStream>
  /** As the process does when it is told to end. */
  close(): Promise<void>
}

export async function startReplica(
  sql: Sql,
  {
    stalledAfterMs,
    also = [],
    env = {},
    ...timing
  }: {
    startTimer?: StartTimer
    stalledAfterMs?: number
    also?: readonly string[]
    env?: Record<string, string>
    clock?: Clock
  } = {},
): Promise<Replica> {
  const resources = { ...SYSTEM_RESOURCES, ...timing, log: silentLogger, sidecarFetch: obligingSidecar }
  const { deps } = composeDaybook(sql, { resources, env })
  const names = [
    'auth/issue-ticket',
    'sync/stream-notifications',
    'sync/stream-changes',
    'sync/list-changes',
    'sync/open-socket',
    ...also,
  ]
  const app = mountFunctions(await loadFunctions(names), deps)
  const server = await serve(
    app.fetch,
    { port: 0, host: '127.0.0.1' },
    { ...(stalledAfterMs !== undefined && { stalledAfterMs }) },
  )
  const url = `http://127.0.0.1:${server.port}`
  let closed: Promise<void> | undefined
  const close = () => {
    deps.streams.endAll()
    const end = async () => {
      await server.close(5000)
      deps.identity.sessions.stop()
      await deps.publishing.stop()
    }
    return (closed ??= end())
  }
  onTestFinished(close)
  const { ask } = createApiClient(async (path, init) => app.request(path, init))
  return {
    deps,
    url,
    ask,
    close,
    async newListener(id = deps.ids.uuid()) {
      return { id, ...(await openSession(deps, id)) }
    },
    async ticketFor({ token }) {
      const { text } = await ask('POST', '/api/auth/ticket', { token })
      return (JSON.parse(text) as { ticket: string }).ticket
    },
    async listen(
      { token },
      { path = '/api/notifications/stream', query = '', headers = {}, ...others } = {},
    ) {
      const signedIn = query.includes('ticket=') ? {} : { authorization: `Bearer ${token}` }
      const address = `${url}${path}${query}`
      const stream = await openEventStream(address, { ...others, headers: { ...signedIn, ...headers } })
      onTestFinished(stream.close)
      return stream
    },
  }
}
