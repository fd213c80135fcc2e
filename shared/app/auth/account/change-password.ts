import { refuseAgents } from '../../../domain/auth/api-token.ts'
import { changedUser } from '../../../domain/auth/identity.ts'
import { networkOf } from '../../../domain/auth/identity-throttle.ts'
import type { PasswordChange } from '../../../domain/auth/account.ts'
import { PasswordChanged, TokenRevoked } from '../../../domain/events.ts'
import { accountMail } from '../../../domain/notifications/confirmation.ts'
import { commitIdentity, eventsAbout, retryIdentity, type Signing } from '../auth-events.ts'
import { endSessions } from '../end-sessions.ts'
import type { AuthCall } from '../ports.ts'
import type { Actor, Answer, Deps } from '../../ports.ts'
import { checkNewPassword } from './check-new-password.ts'
import { findOwner, proveOwner } from './owner.ts'

/**
 * Replaces the password, ends all sessions but the one that asks, and voids what somebody else may have begun: links to set a
 * password, and another address. Where it is the new one already, a repetition, nothing changes.
 */
export function changePassword(
  deps: Signing & Pick<Deps, 'clock'>,
  call: AuthCall,
  actor: Actor,
  { old_password: old, new_password: password }: PasswordChange,
): Promise<Answer<null>> {
  refuseAgents(actor)
  return retryIdentity(async () => {
    const { now } = call
    const owner = await findOwner(deps, actor)
    await checkNewPassword(deps, 'new_password', { password, email: owner.email })
    const asked = { path: 'old_password', passwords: [old, password] as const }
    const { user, keys, right } = await proveOwner(deps, call, owner, asked)
    if (right > 0) return { body: null }
    const passwordHash = await deps.identity.passwords.hash(password, networkOf(call.clientAddress))
    const events = eventsAbout(deps, call, user.id, actor.view)
    const mail = { userId: user.id, address: user.email! }
    const outcome = await commitIdentity(deps, {
      userId: user.id,
      at: deps.clock.now(), // a reset mail asked for until here brings no link
      changedUser: { ...changedUser(user, { newEmail: null, newEmailAt: null }), passwordHash },
      voidedResets: user.id,
      ...endSessions(user.id, actor.sessionId),
      forgiven: [keys.accountAndClient],
      ...(user.emailConfirmedAt && {
        mails: accountMail('password_change', mail, { now, newId: deps.ids.uuid }),
      }),
      events: events([PasswordChanged], [TokenRevoked, { reason: 'password_changed' }]),
    })
    return outcome === 'conflict' ? 'conflict' : { body: null }
  })
}
