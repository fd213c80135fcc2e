import type { Decision } from '../domain/decision.ts'
import { DomainError } from '../domain/errors.ts'
import { commitWrite, replay, type Writing } from './commit-decision.ts'
import type { Answer, ChangeStore, StoredAnswer, WriteContext } from './ports.ts'
import { retryExclusively } from './retry-on-conflict.ts'

export interface WriteTarget<Found> {
  /** `stored`: the answer kept under the Idempotency-Key `key`; `found`: an error when the user has no such thing. */
  load(
    store: ChangeStore,
    key: string | null,
  ): Promise<{ stored: StoredAnswer | null; found: Found | DomainError }>
  /** The version that `If-Match` and `If-None-Match` are about. */
  versionOf: (found: Found) => number
  versionConflict: (version: number) => DomainError
  /** Holds back the user's other writes from the beginning; see retryExclusively. */
  isExclusive?: boolean
}

/**
 * A write of a request: answers a retry with the stored answer, refuses what does not exist and a version that the preconditions do
 * not accept, decides and commits; again when it collides with another write. Reads of `decide` through `store` see the same
 * attempt.
 */
export function guardedWrite<Found, Body>(
  deps: Writing,
  write: WriteContext,
  target: WriteTarget<Found>,
  decide: (
    found: Found,
    store: ChangeStore,
  ) => { decision: Decision; body: Body } | Promise<{ decision: Decision; body: Body }>,
): Promise<Answer<Body>> {
  const attempt = async (store: ChangeStore) => {
    const { stored, found } = await target.load(store, write.idempotency?.key ?? null)
    const earlier = replay<Body>(stored, write)
    if (earlier) return earlier
    if (found instanceof DomainError) throw found
    const version = target.versionOf(found)
    const isWanted = write.ifMatch?.includes(version) ?? true
    if (!isWanted || write.ifNoneMatch.includes(version)) throw target.versionConflict(version)
    return commitWrite(deps, store, write, await decide(found, store))
  }
  return retryExclusively(deps, write.actor.userId, attempt, target)
}
