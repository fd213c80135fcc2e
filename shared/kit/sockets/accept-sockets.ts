import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { DomainError } from '../../domain/errors.ts'
import type { ConnectionLimits } from '../edge/connections.ts'
import { endWith, faultOf, textOf } from '../edge/parser-errors.ts'

/** Of a message of a client. */
const MAX_MESSAGE_BYTES = 64 * 1024
/** Who was told that it is over has so long to say that it knows. */
const CLOSE_WITHIN_MS = 2000

export type AppFetch = (request: Request, env?: object) => Response | Promise<Response>

/** What a route finds in its context where the request asks for a WebSocket. */
export interface SocketBindings {
  /** Has the request become one when it is answered with a success. */
  upgrade(open: (socket: WebSocket) => void): void
}

/** The paths of sockets end so; what asks for an upgrade elsewhere is answered as if it did not (RFC 9110 §7.8). */
export const isForSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket' && urlOf(request)?.pathname.endsWith('/ws') === true

/** As the app sees it, which is not always as it is written. */
const urlOf = ({ headers, url }: IncomingMessage): URL | null => URL.parse(`http://${headers.host}${url}`)

/**
 * Lets the app decide about requests for a WebSocket: it sees them as any other, and accepts or refuses them. The answer drops
 * what is left of them: to the server they are no connections any more.
 */
export function acceptSockets(
  server: Server,
  fetch: AppFetch,
  { onRefused }: Pick<ConnectionLimits, 'onRefused'>,
): () => void {
  // In a variable, since the types of the library do not know closeTimeout.
  const options = {
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    closeTimeout: CLOSE_WITHIN_MS,
  }
  const sockets = new WebSocketServer(options)

  const connections = new Set<Duplex>()

  function refuse(connection: Duplex, request: IncomingMessage, refusal: DomainError): void {
    onRefused(refusal.code, request.socket.remoteAddress ?? null)
    endWith(connection, textOf(refusal))
  }

  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const gone = new AbortController()
    connections.add(connection)
    connection.once('close', () => {
      connections.delete(connection)
      gone.abort()
    })
    const drop = () => connection.destroy()
    connection.on('error', drop)
    const fault = faultOf(request)
    if (fault !== null) return refuse(connection, request, new DomainError('request.malformed', fault))
    let accept: ((socket: WebSocket) => void) | undefined
    const bindings: SocketBindings = { upgrade: (open) => (accept = open) }
    const decide = async () => {
      const asked = new Request(urlOf(request)!, { headers: headersOf(request), signal: gone.signal })
      const answer = await fetch(asked, { incoming: request, ...bindings })
      if (!answer.ok) endWith(connection, await answerText(answer))
      else if (accept) {
        connection.removeListener('error', drop)
        sockets.handleUpgrade(request, connection, head, accept)
      } else {
        // Some answer that nobody waits for, and that may be long.
        await answer.body?.cancel()
        refuse(
          connection,
          request,
          new DomainError('request.upgrade_required', 'This path is not for WebSockets.'),
        )
      }
    }
    decide().catch(drop)
  })
  return () => connections.forEach((connection) => connection.destroy())
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  return headers
}

async function answerText(answer: Response): Promise<string> {
  const body = await answer.text()
  const headers = new Headers(answer.headers)
  headers.set('connection', 'close')
  headers.set('content-length', String(Buffer.byteLength(body)))
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}
