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
  'auth.required': 401,
  'auth.invalid_token': 401,
  'auth.invalid_credentials': 401,
  'auth.forbidden': 403,
  'auth.email_taken': 409,
  'auth.rate_limited': 429,
  'idempotency.in_flight': 409,
  'idempotency.key_reused': 422,
  'task.not_found': 404,
  'task.version_conflict': 412,
  'task.conflict': 409,
  'task.not_recurring': 409,
  'task.successor_exists': 409,
  'task.restore_expired': 410,
  'reminder.not_found': 404,
  'reminder.version_conflict': 412,
  'reminder.of_task': 409,
  'reminder.not_open': 409,
  'reminder.too_many': 409,
  'notification.not_found': 404,
  'preferences.version_conflict': 412,
  'subscription.not_found': 404,
  'subscription.taken': 409,
  'subscription.too_many': 409,
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
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Invalid content',
  429: 'Too many requests',
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

/** Turns whatever was thrown into a problem document. What is not ours is a 500 that says nothing of its cause. */
export function problemResponse(c: Context, error: unknown): Response {
  const known = toDomainError(error)
  const status = STATUS[known.code]
  const requestId = c.get('requestId') ?? ''
  const body: z.infer<typeof Problem> = {
    type: `urn:daybook:problem:${known.code}`,
    title: TITLE[status] ?? 'Error',
    status,
    code: known.code,
    detail: known.message,
    request_id: requestId,
    ...(known.errors.length > 0 && { errors: known.errors }),
  }
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (known.retryAfterSeconds !== undefined) headers['retry-after'] = String(known.retryAfterSeconds)
  return c.body(JSON.stringify(body), status, headers)
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
    return new DomainError('service.unavailable', 'The database cannot do this just now; try again.', {
      retryAfterSeconds: 2,
      cause: error,
    })
  }
  return new DomainError(
    'internal',
    'Something went wrong on our side; the request id finds it in our logs.',
    {
      cause: error,
    },
  )
}

/**
 * What passes by itself, as postgres.js and PostgreSQL name it: trouble with the connection (classes 08, 53, 57P, the
 * driver's own codes), and a transaction given up for another one's sake (class 40: deadlock, serialization failure).
 */
function isUnavailable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(CONNECT|ECONN|ENOENT$|EPIPE$|57P0|57014$|08|40|53)/.test(code)
}
