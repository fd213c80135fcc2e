import { DomainError } from '../../domain/errors.ts'
import { changedUser } from '../../domain/auth/identity.ts'
import { askToConfirm, confirmationMailAt } from '../../domain/notifications/confirmation.ts'
import { secondsUntil } from '../../domain/auth/identity-throttle.ts'
import { findOwner } from './account/owner.ts'
import { commitIdentity, retryIdentity, type Signing } from './auth-events.ts'
import { mailRefusedUntil, uncountMailTo } from '../notifications/limits/first-messages.ts'
import type { AuthCall } from './ports.ts'
import type { Actor, Answer } from '../ports.ts'

/**
 * Sends the actor another mail that asks to confirm their address; none when it is confirmed. `auth.rate_limited` within an
 * hour of the last one, or when this client or this address has had too many.
 */
export function askConfirmation(deps: Signing, call: AuthCall, actor: Actor): Promise<Answer<null>> {
  const { now } = call
  const { userId } = actor
  return retryIdentity(async () => {
    const user = await findOwner(deps, actor)
    const at = confirmationMailAt(user, now)
    if (at === null) return { body: null }
    if (at > now) {
      const seconds = secondsUntil(at, now)
      throw new DomainError(
        'auth.rate_limited',
        `A mail was sent already; request another in ${seconds} seconds.`,
        {
          retryAfterSeconds: seconds,
        },
      )
    }
    const refusedUntil = await mailRefusedUntil(deps, call, user.email!)
    if (refusedUntil) {
      throw new DomainError(
        'auth.rate_limited',
        'Too many confirmation mails were requested, by this client or for this address.',
        { retryAfterSeconds: secondsUntil(refusedUntil, now) },
      )
    }
    const outcome = await commitIdentity(deps, {
      userId,
      at: now,
      events: [],
      changedUser: changedUser(user, { confirmationSentAt: now }),
      mails: askToConfirm({ userId, channel: 'email' }, { now, newId: deps.ids.uuid }),
    })
    if (outcome !== 'conflict') return { body: null }
    await uncountMailTo(deps, user.email!)
    return 'conflict'
  })
}
