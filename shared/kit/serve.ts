import type { Server } from 'node:http'
import { serve as listen } from '@hono/node-server'

/** Longer than the 90 s for which daprd keeps idle connections to the app, so that it never posts into a closed one. */
const KEEP_ALIVE_MS = 95_000
const SWEEP_MS = 50

export interface RunningServer {
  port: number
  /** Stops accepting, lets running requests finish (at most `graceMs`), then closes what is left. */
  close(graceMs: number): Promise<void>
}

/** Listens; rejects with the system's error (`EADDRINUSE` …) when it cannot. */
export function serve(
  fetch: (request: Request) => Response | Promise<Response>,
  address: { port: number; host: string },
): Promise<RunningServer> {
  return new Promise((resolve, reject) => {
    const server = listen(
      {
        fetch,
        port: address.port,
        hostname: address.host,
        serverOptions: { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: KEEP_ALIVE_MS + 1000 },
      },
      (info) => {
        server.off('error', reject)
        resolve({ port: info.port, close: (graceMs) => close(server, graceMs) })
      },
    ) as Server
    server.once('error', reject)
  })
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs)
    // An answer that had begun, a live stream's above all, has promised to keep its connection, which is then idle.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    server.close(() => {
      clearTimeout(force)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
