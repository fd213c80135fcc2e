import { changedUser } from '../../../domain/auth/identity.ts'
import { networkOf } from '../../../domain/auth/identity-throttle.ts'
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
import type { AuthCall } from '../ports.ts'
import { loginKeys } from '../prove-password.ts'
import { digestOf } from '../refresh-tokens.ts'
import type { Answer, Deps } from '../../ports.ts'
import { checkNewPassword } from './check-new-password.ts'

/**
 * Sets a new password by the token of a mail, once, and ends all sessions. Who reads that mail has confirmed the address. The
 * same again, within the life of the token, changes nothing; `auth.invalid_link` for any other use of a token that was used, has
 * expired or is none of ours.
 */
export const resetPassword = (
  deps: Signing & Pick<Deps, 'preferences'>,
  call: AuthCall,
  { token, new_password: password }: PasswordReset,
): Promise<Answer<null>> =>
  admitAttempt(deps, call, () =>
    retryIdentity(async () => {
      const { now } = call
      const { store, passwords } = deps.identity
      const client = networkOf(call.clientAddress)
      const digest = digestOf(token)
      const found = await store.findReset(digest, now)
      if (!found) throw invalidLink()
      const { user } = found
      if (found.isUsed) {
        const isRepetition = await passwords.withConcurrencyLimit({ lane: 'unknown', client }, (isRight) =>
          isRight(password, found.passwordHash),
        )
        if (!isRepetition) throw invalidLink()
        return { body: null }
      }
      await checkNewPassword(deps, 'new_password', { password, email: user.email })
      const passwordHash = await passwords.hash(password, client)
      // Before the address was confirmed somebody else may have had the account, whose webhook would go on being told.
      const preferences = user.emailConfirmedAt
        ? null
        : withoutWebhook((await deps.preferences.get(user.id)).audience.preferences)
      const events = eventsAbout(deps, call, user.id, userView(user.id))
      const edits = { newEmail: null, newEmailAt: null, emailConfirmedAt: user.emailConfirmedAt ?? now }
      const outcome = await commitIdentity(deps, {
        userId: user.id,
        at: now,
        usedReset: digest,
        voidedResets: user.id,
        changedUser: { ...changedUser(user, edits), passwordHash },
        ...endSessions(user.id),
        // Whoever reads the mail has tried in vain before, and signs in now.
        ...(user.email !== null && { forgiven: [loginKeys(user.email, client).accountAndClient] }),
        ...(preferences && { preferences: { preferences, nextDigestAt: null } }),
        events: [
          ...events([PasswordWasReset], [TokenRevoked, { reason: 'password_reset' }]),
          ...(preferences
            ? events([PreferencesUpdated, { preferences: preferencesRecord(preferences) }])
            : []),
        ],
      })
      return outcome === 'conflict' ? 'conflict' : { body: null }
    }),
  )
