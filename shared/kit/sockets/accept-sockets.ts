import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { DomainError } from '../../domain/errors.ts'
import type { ConnectionLimits } from '../edge/connections.ts'
import { faultOf, textOf } from '../edge/parser-errors.ts'

/** Of a message of a client. */
const MAX_MESSAGE_BYTES = 64 * 1024
/** Who was told that it is over has so long to say that it knows. */
const CLOSE_WITHIN_MS = 2000

/** A connection that is closed while its client still sends takes the answer with it. */
const LINGER_MS = 1000

export type AppFetch = (request: Request, env?: object) => Response | Promise<Response>

/** What a route finds in its context where the request asks for a WebSocket. */
export interface SocketBindings {
  /** Has the request become one when it is answered with a success. */
  upgrade(open: (socket: WebSocket) => void): void
}

/** The paths of sockets end so; what asks for an upgrade elsewhere is answered as if it did not (RFC 9110 §7.8). */
export const isForSocket = ({ headers, url = '' }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' && /^[^?]*\/ws(\?|$)/.test(url)

/** Lets the app decide about requests for a WebSocket: it sees them as any other, and accepts or answers them. */
export function acceptSockets(
  server: Server,
  fetch: AppFetch,
  { onRefused }: Pick<ConnectionLimits, 'onRefused'>,
): void {
  // In a variable, since the types of the library do not know closeTimeout.
  const options = {
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    closeTimeout: CLOSE_WITHIN_MS,
  }
  const sockets = new WebSocketServer(options)

  function refuse(connection: Duplex, request: IncomingMessage, reason: string): void {
    const refusal = new DomainError('request.malformed', reason)
    onRefused(refusal.code, request.socket.remoteAddress ?? null)
    end(connection, textOf(refusal))
  }

  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const drop = () => connection.destroy()
    connection.on('error', drop)
    const fault = faultOf(request)
    const url = `http://${request.headers.host}${request.url}`
    if (fault !== null || !URL.canParse(url)) {
      refuse(connection, request, fault ?? 'The Host header and the request target are not a valid URL.')
      return
    }
    let accept: ((socket: WebSocket) => void) | undefined
    const bindings: SocketBindings = { upgrade: (open) => (accept = open) }
    const decide = async () => {
      const answer = await fetch(new Request(url, { headers: headersOf(request) }), {
        incoming: request,
        ...bindings,
      })
      if (accept && answer.ok) {
        connection.removeListener('error', drop)
        sockets.handleUpgrade(request, connection, head, accept)
      } else end(connection, await answerText(answer))
    }
    decide().catch(drop)
  })
}

/** Node looks after a connection no more that asked for an upgrade: a client that keeps its side open would keep it for good. */
function end(connection: Duplex, text: string): void {
  connection.end(text)
  setTimeout(() => connection.destroy(), LINGER_MS).unref()
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  return headers
}

/** Of refusals, which are short. What is none is for a plain request, and may have no end. */
async function answerText(answer: Response): Promise<string> {
  if (answer.ok) {
    await answer.body?.cancel()
    return textOf(new DomainError('request.malformed', 'This path is for no WebSocket.'))
  }
  const body = await answer.text()
  const headers = new Headers(answer.headers)
  headers.set('connection', 'close')
  headers.set('content-length', String(Buffer.byteLength(body)))
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}
