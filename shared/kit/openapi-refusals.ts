import type { ErrorCode } from '../domain/errors.ts'
import type { HttpFunction } from './http-function.ts'
import { statusOf } from './problem.ts'

/** What a status means for whoever gets it; a function's own `refuses` add their codes. */
export const REFUSALS: Record<number, string> = {
  400: 'The request is malformed: not JSON, or a header that cannot be read',
  401: 'There is no valid access token',
  403: 'The token does not allow this',
  404: 'There is no such resource, or it belongs to somebody else',
  409: 'The same write, by its Idempotency-Key, is still running',
  412: 'The resource has another version than If-Match names',
  413: 'The body is larger than 1 MiB',
  415: 'The body is not application/json',
  422: 'A field cannot be accepted, or the Idempotency-Key was used for another request',
  503: 'Something Daybook needs cannot be reached just now; Retry-After says when to try again',
}

/** A precondition makes sense for a write to one resource, which its path names. */
export const takesIfMatch = ({ spec, path }: HttpFunction): boolean =>
  spec.retrySafe === true && (path.includes(':') || spec.isSingleton === true)

/** Statuses, ascending, with the codes the function itself adds; `isCommon` when the kit refuses that way too. */
export function refusals(fn: HttpFunction) {
  const { spec } = fn
  const common: (number | false | undefined)[] = [
    // Of any write: what guards it is looked at by the gateway, too, and its body is measured wanted or not.
    ...(fn.method === 'GET' ? [] : [400, 413]),
    ...(spec.auth === 'user' ? [401, 403, 503] : []),
    fn.path.includes(':') && 404,
    spec.retrySafe && 409,
    takesIfMatch(fn) && 412,
    spec.body && 415,
    (spec.params ?? spec.query ?? spec.body ?? spec.retrySafe) !== undefined && 422,
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
