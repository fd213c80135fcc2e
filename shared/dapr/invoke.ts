import { DaprError } from './dapr-error.ts'
import {
  errorCodeOf,
  isSuccess,
  readStart,
  type DaprAnswer,
  type DaprRequest,
  type Transport,
} from './transport.ts'

export interface Invocation {
  readonly method: string
  /** Path and query at the callee, such as `/api/tasks?limit=1`. */
  readonly path: string
  /** Of the request that causes the call; only those in FORWARDED are passed on. */
  readonly headers?: { get(name: string): string | null }
  /** With its length, so daprd repeats the call by its resiliency policy; a stream it never does. */
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What the caller wants and who it is. Nothing that speaks to a sidecar, nothing of one connection. */
const FORWARDED = [
  'accept',
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'traceparent',
  'tracestate',
  'user-agent',
  'via',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-request-id',
]

// daprd decodes the path and then resolves dot segments, so `/api/..%2fjob%2fx` would reach a callback of the callee,
// with the callee's own app token. Paths of this product need no escapes.
const PLAIN_PATH = /^((?:\/(?!\.\.?(?:[/?]|$))[\w.~:@-]+)+)(\?[^#]*)?$/

/** Whether a path, with or without query, is one that can be invoked. */
export const isPlainPath = (path: string): boolean => PLAIN_PATH.test(path)

/** Calls another app by its id. Source: Dapr Service invocation API reference. */
export function createInvoke({ send, open }: Transport) {
  return {
    /**
     * The app's own answer whatever its status. The body is decoded: content-encoding and content-length no longer
     * describe it. Throws DaprError when the sidecar could not get one (unknown app-id, unhealthy app, access denied).
     */
    async invoke(appId: string, invocation: Invocation): Promise<DaprAnswer> {
      const request = toRequest(appId, invocation)
      const answer = await send(request)
      if (!isSuccess(answer) && errorCodeOf(answer) === 'ERR_DIRECT_INVOKE') {
        throw failureOf(request.operation, answer)
      }
      return answer
    },

    /** The same for an app of Daybook, as the answer comes in; the deadline is for its status. */
    async invokeStream(appId: string, invocation: Invocation): Promise<Response> {
      const request = toRequest(appId, invocation)
      const response = await open(request)
      // Every answer of ours carries one and none of a sidecar: what it refuses, in whichever form, and the empty 200 that
      // daprd 1.18.2 now and then makes of an app that is away.
      if (response.headers.has('x-request-id')) return response
      const { status, headers } = response
      throw failureOf(request.operation, { status, headers, body: await readStart(response) })
    },
  }
}

function toRequest(appId: string, invocation: Invocation): DaprRequest {
  const { method, path, headers, ...rest } = invocation
  const operation = `invoke ${appId} ${method}`
  const [pathname = '', search = ''] = PLAIN_PATH.exec(path)?.slice(1) ?? []
  if (!pathname) throw new DaprError({ operation, kind: 'refused', reason: 'the path is not plain' })
  return {
    operation,
    method,
    search,
    headers: forwarded(headers),
    ...rest,
    path: ['v1.0', 'invoke', appId, 'method', ...pathname.slice(1).split('/')],
  }
}

/**
 * How daprd 1.18.2 words that it did not reach the app. Each has a space, which a path cannot have, so none of them comes
 * from the request. They tell of the last attempt only: of a call that daprd repeats, an earlier one may have arrived.
 */
const NOT_REACHED = new RegExp(
  [
    'connection refused',
    'error while dialing',
    'not in a healthy state',
    'is not initialized',
    "couldn't find service",
    'failed to resolve address',
    'no host found',
    'API is not ready',
    'circuit breaker is open',
    'too many requests',
  ].join('|'),
  'i',
)

function failureOf(operation: string, answer: DaprAnswer): DaprError {
  const body = answer.body.toString()
  // By a 4xx the sidecar says what is wrong with the call: token, access, length of the headers.
  const isUndelivered = (answer.status >= 400 && answer.status < 500) || NOT_REACHED.test(body)
  return new DaprError({
    operation,
    body,
    isUndelivered,
    status: answer.status,
    errorCode: errorCodeOf(answer),
    kind: isUndelivered ? 'refused' : 'unreachable',
  })
}

function forwarded(headers: Invocation['headers']): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of FORWARDED) {
    const value = headers?.get(name)
    // Headers travel as gRPC metadata, and the whole call fails for a value outside ASCII.
    if (!value || !/^[\t\x20-\x7e]*$/.test(value)) continue
    // daprd reads `Basic dapr-app-id:<other app>` as the target of the call; Daybook takes bearer tokens only.
    if (!(name === 'authorization' && !/^bearer /i.test(value))) kept[name] = value
  }
  return kept
}
