import { DomainError } from '../../domain/errors.ts'
import { after, ATTEMPTS, networkOf, secondsUntil } from '../../domain/auth/identity-throttle.ts'
import type { AuthCall } from './ports.ts'
import type { Deps } from '../ports.ts'
import { digestOf } from './refresh-tokens.ts'

/**
 * Does `work` for one of the few registrations and sign-ins that a client may have under way at once and begin in a
 * minute; `auth.rate_limited` for more. So no client can take all the turns in which passwords are hashed.
 */
export function admitAttempt<T>(
  deps: Pick<Deps, 'identity'>,
  call: AuthCall,
  work: () => Promise<T>,
): Promise<T> {
  const client = networkOf(call.clientAddress)
  return deps.identity.passwords.limitPerClient(client, async () => {
    const attempt = { key: digestOf(`attempts ${client}`), resetsAt: after(call.now, ATTEMPTS.windowMs) }
    const spentUntil = await deps.identity.store.countUpTo(ATTEMPTS.count, attempt, call.now)
    if (spentUntil) throw tooManyAttempts(secondsUntil(spentUntil, call.now), ATTEMPTS.count)
    return work()
  })
}

export const tooManyAttempts = (retryAfterSeconds: number, limit: number): DomainError =>
  new DomainError('auth.rate_limited', `Too many attempts to sign in; try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
    limit,
  })
