import { RequestError } from '@hono/node-server'
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { DomainError } from '../../domain/errors.ts'
import type { ConnectionLimits, SocketInternals } from './connections.ts'
import { problemOf, statusOf } from '../problem.ts'
import { systemIds } from '../system.ts'

/** A connection that is closed while its client still sends takes the answer with it. */
const LINGER_MS = 1000

/** Also a connection that its client does not end. */
export function endWith(connection: Duplex, text: string): void {
  connection.end(text)
  setTimeout(() => connection.destroy(), LINGER_MS).unref()
}

type OnRefused = Pick<ConnectionLimits, 'onRefused'>

/** Answers what is no request by a problem document as any other refusal, and ends the connection. */
export function answerParserErrors(server: Server, { onRefused }: OnRefused): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket & SocketInternals) => {
    const isParserError = /^(HPE_|ERR_HTTP_REQUEST_TIMEOUT$)/.test(error.code ?? '')
    // Gone, or in the middle of an answer, into which nothing can be written.
    if (!isParserError || !socket.writable || socket._httpMessage?.headersSent) {
      socket.destroy()
      return
    }
    const refusal = refusalFor(error.code)
    onRefused(refusal.code, socket.remoteAddress ?? null)
    endWith(socket, textOf(refusal))
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = new DomainError('request.expectation_failed', 'Expect can only be 100-continue.')
    onRefused(refusal.code, request.socket.remoteAddress ?? null)
    send(response, refusal)
  })
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/**
 * Node checks itself that there is a Host, but answers without a body. HTTP/1.0 has no such header (RFC 9112 §3.2). Of
 * others that come twice it takes the first, where a proxy may have gone by the second.
 */
export function checkHeaders(listener: Listener, { onRefused }: OnRefused): Listener {
  return (request, response) => {
    const fault = faultOf(request)
    if (fault === null) {
      listener(request, response)
      return
    }
    const refusal = new DomainError('request.malformed', fault)
    onRefused(refusal.code, request.socket.remoteAddress ?? null)
    send(response, refusal)
  }
}

const SINGLE: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type'])

export function faultOf({ headers, httpVersion, rawHeaders }: IncomingMessage): string | null {
  if (headers.host === undefined && httpVersion !== '1.0') return 'The Host header is missing.'
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  const twice = names.find((name, index) => SINGLE.has(name) && names.indexOf(name) < index)
  return twice === undefined ? null : `The header ${twice} is there more than once.`
}

/** The answer to a request whose Host header and target make no URL; everything else is the app's to answer. */
export function answerWithoutUrl(error: unknown, { onRefused }: OnRefused): Response {
  if (!(error instanceof RequestError)) return new Response(null, { status: 500 })
  const refusal = new DomainError(
    'request.malformed',
    'The Host header and the request target are not a valid URL.',
  )
  onRefused(refusal.code, null)
  const { status, headers, body } = answerTo(refusal)
  return new Response(body, { status, headers })
}

function refusalFor(code: string | undefined): DomainError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new DomainError('request.timeout', 'The request was not received completely in time.')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new DomainError('request.headers_too_large', 'The headers are larger than 16 KiB.')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new DomainError('request.too_large', 'The chunk extensions are too large.')
  return new DomainError('request.malformed', 'This is not a valid HTTP request.')
}

function answerTo(refusal: DomainError) {
  const requestId = systemIds.uuid()
  const body = JSON.stringify(problemOf(refusal, requestId))
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    connection: 'close',
  }
  return { status: statusOf(refusal.code), headers, body }
}

function send(response: ServerResponse, refusal: DomainError): void {
  const { status, headers, body } = answerTo(refusal)
  response.writeHead(status, headers).end(body)
}

export function textOf(refusal: DomainError): string {
  const { status, headers, body } = answerTo(refusal)
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return `${[`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head].join('\r\n')}\r\n\r\n${body}`
}
