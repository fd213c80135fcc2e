/** Every way Daybook refuses a request. Codes are part of the API; the HTTP status of each is in shared/kit/problem.ts. */
const ERROR_CODES = [
  'request.malformed',
  'request.invalid',
  'request.not_found',
  'request.method_not_allowed',
  'request.too_large',
  'request.unsupported_media_type',
  'request.unsupported_encoding',
  'request.conflict',
  'request.timeout',
  'request.headers_too_large',
  'request.expectation_failed',
  'rate_limit.exceeded',
  'auth.required',
  'auth.invalid_token',
  'auth.invalid_credentials',
  'auth.wrong_password',
  'auth.no_password',
  'auth.forbidden',
  'auth.insufficient_scope',
  'auth.email_taken',
  'auth.registration_closed',
  'auth.invitation_required',
  'auth.invalid_link',
  'auth.rate_limited',
  'session.not_found',
  'token.not_found',
  'token.name_taken',
  'token.too_many',
  'idempotency.in_flight',
  'idempotency.key_reused',
  'task.not_found',
  'task.version_conflict',
  'task.not_recurring',
  'task.successor_exists',
  'task.restore_expired',
  'reminder.not_found',
  'reminder.version_conflict',
  'reminder.of_task',
  'reminder.not_open',
  'reminder.too_many',
  'notification.not_found',
  'changes.cursor_gone',
  'preferences.version_conflict',
  'subscription.not_found',
  'subscription.taken',
  'subscription.too_many',
  'quota.exceeded',
  'service.unavailable',
  'gateway.no_answer',
  'gateway.unreachable',
  'gateway.timeout',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

export interface FieldError {
  /** Dotted path into the request: `recurrence_rule`, `tags.3`, `query.limit`. */
  path: string
  message: string
}

export class DomainError extends Error {
  readonly code: ErrorCode
  readonly errors: FieldError[]
  readonly retryAfterSeconds: number | undefined
  /** Of requests in the window that is used up, for `RateLimit-Limit`. */
  readonly limit: number | undefined
  /** What a refusal of a token says beside its reason, for `WWW-Authenticate`. */
  readonly challenge: string | undefined
  constructor(
    code: ErrorCode,
    message: string,
    details: {
      errors?: FieldError[]
      retryAfterSeconds?: number
      limit?: number
      challenge?: string
      cause?: unknown
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'DomainError'
    this.code = code
    this.errors = details.errors ?? []
    this.retryAfterSeconds = details.retryAfterSeconds
    this.limit = details.limit
    this.challenge = details.challenge
  }
}

export function invalidField(path: string, message: string): DomainError {
  return new DomainError('request.invalid', `${path}: ${message}`, { errors: [{ path, message }] })
}

/** Thrown by a consumer when no retry can help; the event goes to the dead letters with this message as the reason. */
export class PermanentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PermanentError'
  }
}
