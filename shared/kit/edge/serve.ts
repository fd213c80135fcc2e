import { getRequestListener } from '@hono/node-server'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { limitConnections, type ConnectionLimits } from './connections.ts'
import { acceptSockets, isForSocket, type AppFetch } from '../sockets/accept-sockets.ts'
import { answerParserErrors, answerWithoutUrl, checkHeaders } from './parser-errors.ts'

/** Longer than the 90 s for which daprd keeps idle connections to the app, so that it never posts into a closed one. */
const KEEP_ALIVE_MS = 95_000
/** How often a server looks for connections that are over one of their times. */
const CHECK_MS = 1000
const SWEEP_MS = 50

export interface ServeOptions extends ConnectionLimits {
  /** From the connection's, or the last request's, end to the last header. */
  headersWithinMs: number
  /** To the last byte of the body. */
  requestWithinMs: number
}

const DEFAULTS: ServeOptions = {
  headersWithinMs: 15_000,
  requestWithinMs: 30_000,
  stalledAfterMs: 30_000,
  max: 2000,
  maxPerAddress: 200,
  maxUnsentBytes: 256 * 1024 * 1024,
  isExempt: () => false,
  onRefused: () => {},
}

export interface RunningServer {
  port: number
  /** Stops accepting, lets running requests finish (at most `graceMs`), then closes what is left. */
  close(graceMs: number): Promise<void>
}

/** Listens; rejects with the system's error (`EADDRINUSE` …) when it cannot. */
export function serve(
  fetch: AppFetch,
  address: { port: number; host: string },
  options: Partial<ServeOptions> = {},
): Promise<RunningServer> {
  const limits = { ...DEFAULTS, ...options }
  const listener = getRequestListener(fetch, {
    hostname: address.host,
    errorHandler: (error) => answerWithoutUrl(error, limits),
  })
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: limits.headersWithinMs,
      requestTimeout: limits.requestWithinMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersWithinMs),
      requireHostHeader: false,
      shouldUpgradeCallback: isForSocket,
    },
    checkHeaders(listener, limits),
  )
  const endLimits = limitConnections(server, limits)
  const dropUpgraded = acceptSockets(server, fetch, limits)
  answerParserErrors(server, limits)
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      endLimits()
      reject(error)
    })
    server.listen(address.port, address.host, () => {
      const { port } = server.address() as AddressInfo
      resolve({ port, close: (graceMs) => close(server, graceMs, dropUpgraded).finally(endLimits) })
    })
  })
}

function close(server: Server, graceMs: number, dropUpgraded: () => void): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.closeAllConnections()
      dropUpgraded()
    }, graceMs)
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
