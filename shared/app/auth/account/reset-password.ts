import { changedUser, type User } from '../../../domain/auth/identity.ts'
import { networkOf, successCounts } from '../../../domain/auth/identity-throttle.ts'
import { DomainError } from '../../../domain/errors.ts'
import type { PasswordReset } from '../../../domain/auth/account.ts'
import {
  PasswordReset as PasswordWasReset,
  PreferencesUpdated,
  TokenRevoked,
} from '../../../domain/events.ts'
import { preferencesRecord, withoutWebhook } from '../../../domain/notifications/notification-preferences.ts'
import { admitAttempt } from '../admit-attempt.ts'
import { commitIdentity, eventsAbout, retryIdentity, userView, type Signing } from '../auth-events.ts'
import { invalidLink } from '../confirm-address.ts'
import { endSessions } from '../end-sessions.ts'
import type { AuthCall, IdentityStore } from '../ports.ts'
import { findBySecret, loginKeys, provePassword } from '../prove-password.ts'
import { digestOf } from '../refresh-tokens.ts'
import type { Answer, Deps } from '../../ports.ts'
import { checkNewPassword } from './check-new-password.ts'

type Resetting = Signing & Pick<Deps, 'clock' | 'preferences'>
type Link = NonNullable<Awaited<ReturnType<IdentityStore['findReset']>>>

/**
 * Sets a new password by the token of a mail, once, and ends all sessions. Who reads that mail has confirmed the address. The
 * same again, within the life of the token, changes nothing; `auth.invalid_link` for any other use of a token that was used, has
 * expired or is none of ours, which counts like a failed sign-in.
 */
export const resetPassword = (
  deps: Resetting,
  call: AuthCall,
  { token, new_password: password }: PasswordReset,
): Promise<Answer<null>> =>
  admitAttempt(deps, call, () =>
    retryIdentity(async () => {
      const digest = digestOf(token)
      const link = await findBySecret(deps, call, () => deps.identity.store.findReset(digest, call.now))
      if (!link) throw invalidLink()
      if (!link.isUsed) return setPassword(deps, call, link.user, { digest, password })
      await refuseUnlessSame(deps, call, link, password)
      return { body: null }
    }),
  )

async function refuseUnlessSame(
  deps: Resetting,
  call: AuthCall,
  { user }: Link,
  password: string,
): Promise<void> {
  try {
    await provePassword(deps, call, { email: user.email!, userId: user.id }, [password])
  } catch (error) {
    if (error instanceof DomainError && error.code === 'auth.invalid_credentials') throw invalidLink()
    throw error
  }
}

async function setPassword(
  deps: Resetting,
  call: AuthCall,
  user: User,
  { digest, password }: { digest: string; password: string },
): Promise<Answer<null> | 'conflict'> {
  const { now } = call
  const client = networkOf(call.clientAddress)
  await checkNewPassword(deps, 'new_password', { password, email: user.email })
  const passwordHash = await deps.identity.passwords.hash(password, client)
  // Before the address was confirmed somebody else may have had the account, whose webhook would go on being told.
  const preferences = user.emailConfirmedAt
    ? null
    : withoutWebhook((await deps.preferences.get(user.id)).audience.preferences)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  const edits = { newEmail: null, newEmailAt: null, emailConfirmedAt: user.emailConfirmedAt ?? now }
  const keys = loginKeys(user.email!, client)
  const outcome = await commitIdentity(deps, {
    userId: user.id,
    at: deps.clock.now(), // a reset mail asked for until here brings no link
    usedReset: digest,
    voidedResets: user.id,
    changedUser: { ...changedUser(user, edits), passwordHash },
    ...endSessions(user.id),
    // Whoever reads the mail has tried in vain before, and signs in now, whatever strangers do to the account.
    forgiven: [keys.accountAndClient],
    counts: successCounts(keys, now, user.id),
    ...(preferences && { preferences: { preferences, nextDigestAt: null } }),
    events: [
      ...events([PasswordWasReset], [TokenRevoked, { reason: 'password_reset' }]),
      ...(preferences ? events([PreferencesUpdated, { preferences: preferencesRecord(preferences) }]) : []),
    ],
  })
  return outcome === 'conflict' ? 'conflict' : { body: null }
}
