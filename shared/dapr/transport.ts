import { z } from 'zod'
import { parseJson } from '../domain/parse-json.ts'
import { DaprError, type DaprErrorKind } from './dapr-error.ts'

interface FetchInit {
  method: string
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null
  /** With a stream, which fetch sends in chunks. */
  duplex?: 'half'
  redirect: 'manual'
  signal: AbortSignal
}

/** All that the client asks of fetch. It must honour the signal; `app.request` of a Hono app fits as well, then without a deadline. */
export type Fetch = (url: string, init: FetchInit) => Response | Promise<Response>

export interface DaprOptions {
  /** `http://127.0.0.1:3500`, without a path. */
  readonly baseUrl: string
  /** DAPR_API_TOKEN of the sidecar. */
  readonly token?: string | undefined
  readonly fetch: Fetch
  /** Deadline of a call that does not set its own. */
  readonly timeoutMs: number
}

export interface DaprRequest {
  /** For people: what was tried, in words. */
  readonly operation: string
  readonly method: string
  /** Raw path segments. */
  readonly path: readonly string[]
  /** With its question mark, or empty. */
  readonly search?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as application/json unless `headers` say otherwise. */
  readonly json?: unknown
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal
}

export interface DaprAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer<ArrayBuffer>
}

export interface Transport {
  /** The answer, whatever its status. Throws DaprError `timeout`, `unreachable`, or for an answer beyond 16 MiB. */
  readonly send: (request: DaprRequest) => Promise<DaprAnswer>
  /** The answer as soon as its status is known, to be read on; the deadline is for this part. Throws as `send` does. */
  readonly open: (request: DaprRequest) => Promise<Response>
  /** The answer of a success; any other status is a DaprError. */
  readonly call: (request: DaprRequest) => Promise<DaprAnswer>
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The one way to the sidecar's HTTP API. It never retries: retries are the resiliency policy's. */
export function createTransport(options: DaprOptions): Transport {
  const tokenHeader = options.token === undefined ? {} : { 'dapr-api-token': options.token }

  /** How the request is made, as soon as there is a signal. Throws what is wrong with the request itself. */
  function prepare(request: DaprRequest): (signal: AbortSignal) => Promise<Response> {
    const { method, search = '', json } = request
    const url = `${options.baseUrl}/${request.path.map(pathSegment).join('/')}${search}`
    const contentType = json === undefined ? {} : { 'content-type': 'application/json' }
    const headers = { ...contentType, ...request.headers, ...tokenHeader }
    const body = json === undefined ? (request.body ?? null) : JSON.stringify(json)
    const duplex = body instanceof ReadableStream ? ({ duplex: 'half' } as const) : {}
    return async (signal) =>
      await options.fetch(url, { method, headers, body, redirect: 'manual', signal, ...duplex })
  }

  /** Runs an exchange; whatever breaks it is a DaprError. */
  async function exchange<T>(request: DaprRequest, late: AbortSignal, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (cause) {
      const { operation, timeoutMs = options.timeoutMs } = request
      const reason = late.aborted ? `no complete answer within ${timeoutMs} ms` : networkReason(cause)
      const isUndelivered = !late.aborted && isUnconnected(cause)
      throw new DaprError({
        operation,
        cause,
        reason,
        isUndelivered,
        kind: late.aborted ? 'timeout' : 'unreachable',
      })
    }
  }

  async function send(request: DaprRequest): Promise<DaprAnswer> {
    const start = prepare(request)
    const late = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs)
    const signal = request.signal ? AbortSignal.any([late, request.signal]) : late
    const answer = await exchange(request, late, async () => {
      const response = await start(signal)
      return { status: response.status, headers: response.headers, body: await readStart(response) }
    })
    if (answer.body.length > MAX_ANSWER_BYTES) {
      const { status } = answer
      const kind = isSuccess(answer) ? 'malformed' : 'refused'
      const reason = `answer beyond ${MAX_ANSWER_BYTES} bytes`
      throw new DaprError({ operation: request.operation, kind, status, reason })
    }
    return answer
  }

  async function open(request: DaprRequest): Promise<Response> {
    const start = prepare(request)
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), request.timeoutMs ?? options.timeoutMs)
    const signal = request.signal ? AbortSignal.any([late.signal, request.signal]) : late.signal
    try {
      return await exchange(request, late.signal, () => start(signal))
    } finally {
      clearTimeout(timer)
    }
  }

  async function call(request: DaprRequest): Promise<DaprAnswer> {
    const answer = await send(request)
    if (isSuccess(answer)) return answer
    throw refusal(request.operation, answer)
  }

  return { send, open, call }
}

export function isSuccess({ status }: DaprAnswer): boolean {
  return status >= 200 && status < 300
}

/** The error for an answer that is no success. 409 is a conflict unless the caller knows better. */
export function refusal(operation: string, answer: DaprAnswer, kind?: DaprErrorKind): DaprError {
  return new DaprError({
    operation,
    kind: kind ?? (answer.status === 409 ? 'conflict' : 'refused'),
    status: answer.status,
    errorCode: errorCodeOf(answer),
    body: answer.body.toString(),
  })
}

const ErrorBody = z.object({ errorCode: z.string() })

/** Dapr's code in an error body, or undefined when the body is not Dapr's. */
export function errorCodeOf(answer: DaprAnswer): string | undefined {
  return ErrorBody.safeParse(parseJson(answer.body.toString())).data?.errorCode
}

/** The JSON of a success, checked. What does not fit is a DaprError `malformed` that keeps the content to itself. */
export function readJson<T>(operation: string, answer: DaprAnswer, schema: z.ZodType<T>): T {
  const { status } = answer
  const value = parseJson(answer.body.toString())
  if (value === undefined) throw new DaprError({ operation, kind: 'malformed', status, reason: 'not JSON' })
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const reason = `${issue?.message} at /${issue?.path.join('/')}`
  throw new DaprError({ operation, kind: 'malformed', status, reason })
}

// fetch resolves dot segments and daprd routes an empty one elsewhere: such a name would reach another API.
function pathSegment(segment: string): string {
  if (['', '.', '..'].includes(segment)) throw new RangeError(`'${segment}' cannot be part of a Dapr path`)
  return encodeURIComponent(segment)
}

/** The body as far as it may be long, and a little more. */
export async function readStart(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks)
}

/** No connection came about, so nothing was sent. (ConnectTimeoutError is undici's.) */
function isUnconnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return /^(ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT)$/.test(code)
}

// fetch says only "fetch failed"; the reason is in its cause, and for localhost in a list without a message.
function networkReason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}
