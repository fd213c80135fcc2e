import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { DomainError, type ErrorCode } from '../domain/errors.ts'
import { fieldErrors, summaryOf } from './field-errors.ts'

/** The only place where a code meets an HTTP status. */
const STATUS = {
  'request.malformed': 400,
  'request.invalid': 422,
  'request.not_found': 404,
  'request.method_not_allowed': 405,
  'request.too_large': 413,
  'request.unsupported_media_type': 415,
  'request.unsupported_encoding': 415,
  'request.conflict': 409,
  'request.timeout': 408,
  'request.headers_too_large': 431,
  'request.expectation_failed': 417,
  'rate_limit.exceeded': 429,
  'auth.required': 401,
  'auth.invalid_token': 401,
  'auth.invalid_credentials': 401,
  'auth.wrong_password': 422,
  'auth.no_password': 409,
  'auth.forbidden': 403,
  'auth.insufficient_scope': 403,
  'auth.email_taken': 409,
  'auth.registration_closed': 403,
  'auth.invitation_required': 403,
  'auth.invalid_link': 410,
  'auth.rate_limited': 429,
  'session.not_found': 404,
  'token.not_found': 404,
  'token.name_taken': 409,
  'token.too_many': 409,
  'idempotency.in_flight': 409,
  'idempotency.key_reused': 422,
  'task.not_found': 404,
  'task.version_conflict': 412,
  'task.not_recurring': 409,
  'task.successor_exists': 409,
  'task.restore_expired': 410,
  'reminder.not_found': 404,
  'reminder.version_conflict': 412,
  'reminder.of_task': 409,
  'reminder.not_open': 409,
  'reminder.too_many': 409,
  'notification.not_found': 404,
  'changes.cursor_gone': 410,
  'preferences.version_conflict': 412,
  'subscription.not_found': 404,
  'subscription.taken': 409,
  'subscription.too_many': 409,
  'quota.exceeded': 409,
  'service.unavailable': 503,
  'gateway.no_answer': 502,
  'gateway.unreachable': 503,
  'gateway.timeout': 504,
  internal: 500,
} as const satisfies Record<ErrorCode, number>

export const statusOf = (code: ErrorCode): number => STATUS[code]

const TITLE: Record<number, string> = {
  400: 'Malformed request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Not received in time',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  417: 'Expectation failed',
  422: 'Invalid content',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  502: 'No answer',
  503: 'Service unavailable',
  504: 'No answer in time',
}

/** The body of every error answer (RFC 9457). */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })

export function problemOf(known: DomainError, requestId: string): z.infer<typeof Problem> {
  const status = STATUS[known.code]
  return {
    type: `urn:daybook:problem:${known.code}`,
    title: TITLE[status] ?? 'Error',
    status,
    code: known.code,
    detail: known.message,
    request_id: requestId,
    ...(known.errors.length > 0 && { errors: known.errors }),
  }
}

/** What would have been taken instead, in the header that has been made for it. */
const ADVICE: Partial<Record<ErrorCode, (method: string) => Record<string, string>>> = {
  // RFC 9110 §12.5.3
  'request.unsupported_encoding': () => ({ 'accept-encoding': 'identity' }),
  // RFC 5789 §2.2, RFC 9110 §12.5.1
  'request.unsupported_media_type': (method) =>
    method === 'PATCH' ? { 'accept-patch': PATCH_TYPES } : { accept: 'application/json' },
}

export const PATCH_TYPES = 'application/json, application/merge-patch+json'

/** RFC 6750 §3: whoever sent no token is told of no error. */
function challengeOf(code: ErrorCode): string {
  const challenge = 'Bearer realm="daybook"'
  if (code === 'auth.invalid_token') return `${challenge}, error="invalid_token"`
  return code === 'auth.insufficient_scope' ? `${challenge}, error="insufficient_scope"` : challenge
}

/** Turns whatever was thrown into a problem document. What is not ours is a 500 that says nothing of its cause. */
export function problemResponse(c: Context, error: unknown): Response {
  const known = toDomainError(error)
  const status = STATUS[known.code]
  const body = problemOf(known, c.get('requestId') ?? '')
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    ...ADVICE[known.code]?.(c.req.method),
  }
  if (status === 401 || known.code === 'auth.insufficient_scope') {
    headers['www-authenticate'] = [challengeOf(known.code), known.challenge].filter(Boolean).join(', ')
  }
  if (known.retryAfterSeconds !== undefined) headers['retry-after'] = String(known.retryAfterSeconds)
  if (status === 429) tellLimit(c, known)
  return c.body(JSON.stringify(body), status, headers)
}

/** In place of what was told of a limit that let the request in: that of the limit that refused it, if it has a number. */
function tellLimit(c: Context, { limit, retryAfterSeconds }: DomainError): void {
  c.header('ratelimit-limit', limit?.toString())
  c.header('ratelimit-remaining', limit === undefined ? undefined : '0')
  c.header('ratelimit-reset', limit === undefined ? undefined : retryAfterSeconds?.toString())
}

export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error
  if (error instanceof z.ZodError) {
    const errors = fieldErrors(error)
    return new DomainError('request.invalid', summaryOf(errors), { errors })
  }
  if (error instanceof HTTPException) {
    if (error.status === 413)
      return new DomainError('request.too_large', 'The request body is larger than 1 MiB.')
    if (error.status < 500) return new DomainError('request.malformed', error.message)
  }
  if (isUnavailable(error)) {
    return new DomainError('service.unavailable', 'The database is temporarily unavailable; try again.', {
      retryAfterSeconds: 2,
      cause: error,
    })
  }
  return new DomainError('internal', 'Internal error; the request id identifies it in the logs.', {
    cause: error,
  })
}

/**
 * What passes by itself, as postgres.js and PostgreSQL name it: trouble with the connection (classes 08, 53, 57P, the
 * driver's own codes), and a transaction given up for another one's sake (class 40: deadlock, serialization failure).
 */
function isUnavailable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(CONNECT|ECONN|ENOENT$|EPIPE$|57P0|57014$|08|40|53)/.test(code)
}
