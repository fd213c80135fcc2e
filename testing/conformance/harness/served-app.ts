import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'

export interface ServedApp {
  readonly port: number
  close(): Promise<void>
}

/** daprd keeps idle connections to its app for 90 s. */
const KEEP_ALIVE_MS = 95_000

/** Serves an app on 127.0.0.1. Where the app rejects, the connection breaks, as when a process dies. */
export async function serveApp(app: (request: Request) => Promise<Response>, port = 0): Promise<ServedApp> {
  const listener = getRequestListener(async (request, env) => {
    try {
      return await app(request)
    } catch {
      ;(env as HttpBindings).incoming.socket.destroy()
      return new Response(null, { status: 500 })
    }
  })
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
