import { DomainError } from '../domain/errors.ts'
import { after, ATTEMPTS, clientOf, secondsUntil } from '../domain/identity-throttle.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Deps } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'

/**
 * Does `work` for one of the few registrations and sign-ins that a client may have under way at once and begin in a
 * minute; `auth.rate_limited` for more. So no client can take all the turns in which passwords are hashed.
 */
export function admitAttempt<T>(deps: Deps, call: AuthCall, work: () => Promise<T>): Promise<T> {
  const client = clientOf(call.clientAddress)
  return deps.identity.passwords.amongFew(client, async () => {
    const attempt = { key: digestOf(`attempts ${client}`), resetsAt: after(call.now, ATTEMPTS.windowMs) }
    const spentUntil = await deps.identity.store.countUpTo(ATTEMPTS.count, attempt, call.now)
    if (spentUntil) throw tooManyAttempts(secondsUntil(spentUntil, call.now))
    return work()
  })
}

export const tooManyAttempts = (retryAfterSeconds: number): DomainError =>
  new DomainError('auth.rate_limited', `Too many attempts to sign in; wait ${retryAfterSeconds} seconds.`, {
    retryAfterSeconds,
  })
