import type { ErrorCode } from '../domain/errors.ts'
import type { HttpFunction } from '../kit/http-function.ts'
import { statusOf } from '../kit/problem.ts'

/** What a status means for whoever gets it; a function's own `refuses` add their codes. */
export const STATUS_DESCRIPTIONS: Record<number, string> = {
  400: 'The request is malformed: not JSON, or a header that cannot be read',
  401: 'The access token is missing or invalid',
  403: 'The token does not allow this',
  404: 'The resource does not exist, or belongs to another user',
  409: 'The write conflicts with another one (request.conflict), or one with the same Idempotency-Key is still in progress (idempotency.in_flight)',
  412: 'The version of the resource does not match If-Match, or matches If-None-Match',
  413: 'The body is larger than 1 MiB',
  415: 'The body is not application/json (Accept, Accept-Patch), or compressed (Accept-Encoding)',
  422: 'A field is invalid, or the Idempotency-Key was used for another request',
  429: 'Too many requests, or too many at once; Retry-After says when to try again',
  503: 'A dependency is unavailable; Retry-After says when to try again',
}

/** A precondition makes sense for a write to one resource, which its path names. */
export const takesIfMatch = ({ spec, path }: HttpFunction): boolean =>
  spec.retrySafe === true && (path.includes(':') || spec.isSingleton === true)

/** Statuses, ascending, with the codes the function itself adds; `isCommon` when the kit refuses that way too. */
export function refusals(fn: HttpFunction) {
  const { spec } = fn
  const common: (number | false | undefined)[] = [
    // Of any write: what guards it is looked at by the gateway, too, and its body is measured wanted or not.
    ...(fn.method === 'GET' ? [] : [400, 413, 415]),
    ...(spec.auth !== 'none' ? [401, 403, 503] : []),
    fn.path.includes(':') && 404,
    429,
    spec.retrySafe && 409,
    takesIfMatch(fn) && 412,
    (fn.method !== 'GET' || (spec.params ?? spec.query) !== undefined) && 422,
  ]
  const own: [number, ErrorCode][] = (spec.refuses ?? []).map((code) => [statusOf(code), code])
  const statuses = new Set([
    ...common.filter((status) => typeof status === 'number'),
    ...own.map(([status]) => status),
  ])
  return [...statuses]
    .toSorted((a, b) => a - b)
    .map((status) => ({
      status,
      isCommon: common.includes(status),
      codes: own.filter(([of]) => of === status).map(([, code]) => code),
    }))
}
