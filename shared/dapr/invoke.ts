import { DaprError } from './dapr-error.ts'
import { errorCodeOf, isSuccess, refusal, type DaprAnswer, type Transport } from './transport.ts'

export interface Invocation {
  readonly method: string
  /** Path and query at the callee, such as `/api/tasks?limit=1`. */
  readonly path: string
  /** Of the request that causes the call; only those in FORWARDED are passed on. */
  readonly headers?: { get(name: string): string | null }
  /** Whole, never a stream: daprd retries only what has a length. */
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly timeoutMs?: number
}

const FORWARDED = [
  'accept',
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'traceparent',
  'tracestate',
  'x-request-id',
]

// daprd decodes the path and then resolves dot segments, so `/api/..%2fjob%2fx` would reach a callback of the callee,
// with the callee's own app token. Paths of this product need no escapes.
const PLAIN_PATH = /^((?:\/(?!\.\.?(?:[/?]|$))[\w.~:@-]+)+)(\?[^#]*)?$/

/** Calls another app by its id. Source: Dapr Service invocation API reference. */
export function createInvoke({ send }: Transport) {
  /**
   * The app's own answer whatever its status. The body is decoded: content-encoding and content-length no longer
   * describe it. Throws DaprError when the sidecar could not get one (unknown app-id, unhealthy app, access denied).
   */
  return async function invoke(appId: string, invocation: Invocation): Promise<DaprAnswer> {
    const { method, path, headers, body, timeoutMs } = invocation
    const operation = `invoke ${appId} ${method}`
    const [pathname = '', search = ''] = PLAIN_PATH.exec(path)?.slice(1) ?? []
    if (!pathname) throw new DaprError({ operation, kind: 'refused', reason: 'the path is not plain' })
    const answer = await send({
      operation,
      method,
      path: ['v1.0', 'invoke', appId, 'method', ...pathname.slice(1).split('/')],
      search,
      headers: forwarded(headers),
      timeoutMs,
      ...(body === undefined ? {} : { body }),
    })
    if (!isSuccess(answer) && errorCodeOf(answer) === 'ERR_DIRECT_INVOKE') throw refusal(operation, answer)
    return answer
  }
}

function forwarded(headers: Invocation['headers']): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of FORWARDED) {
    const value = headers?.get(name)
    // daprd reads `Basic dapr-app-id:<other app>` as the target of the call; Daybook takes bearer tokens only.
    if (value && !(name === 'authorization' && !/^bearer /i.test(value))) kept[name] = value
  }
  return kept
}
