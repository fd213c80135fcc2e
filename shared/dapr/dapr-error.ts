/**
 * What a caller can decide on:
 * `timeout`: no complete answer within the deadline; the effect may have happened.
 * `unreachable`: no connection, or it broke before the answer was complete; the effect may have happened.
 * `conflict`: the stored version, or a thing of that name, is not what the call asked for.
 * `refused`: the sidecar answered that it did not do it.
 * `malformed`: the sidecar did it, but its answer cannot be read.
 */
export type DaprErrorKind = 'timeout' | 'unreachable' | 'conflict' | 'refused' | 'malformed'

export interface DaprFailure {
  readonly operation: string
  readonly kind: DaprErrorKind
  readonly status?: number
  readonly errorCode?: string | undefined
  /** The sidecar's words on an error. Never the body of a success, which may hold a secret or private text. */
  readonly body?: string
  readonly isUndelivered?: boolean
  /** Stands in the message where there is no body. */
  readonly reason?: string
  readonly cause?: unknown
}

const MAX_BODY_CHARS = 256

/** Every failure of the Dapr client. `message` is one line: `dapr <operation>: <kind> <status> <body or reason>`. */
export class DaprError extends Error {
  override readonly name = 'DaprError'
  readonly operation: string
  readonly kind: DaprErrorKind
  readonly status: number | null
  /** Dapr's own code, such as `ERR_PUBSUB_NOT_FOUND`. */
  readonly errorCode: string | undefined
  /** Whether the call certainly had no effect, because nobody got it. */
  readonly isUndelivered: boolean
  /** At most 256 characters. */
  readonly body: string

  constructor(failure: DaprFailure) {
    const { operation, kind, status, errorCode, body = '', reason = '', cause } = failure
    const { isUndelivered = false } = failure
    const bodyStart = body.slice(0, MAX_BODY_CHARS)
    const message = `dapr ${operation}: ${kind} ${status ?? ''} ${reason || bodyStart}`
    super(message.replace(/[\s\p{Cc}]+/gu, ' ').trim(), cause === undefined ? undefined : { cause })
    this.operation = operation
    this.kind = kind
    this.status = status ?? null
    this.errorCode = errorCode
    this.isUndelivered = isUndelivered
    this.body = bodyStart
  }
}
