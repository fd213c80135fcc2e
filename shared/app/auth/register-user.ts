import { askToConfirm } from '../../domain/notifications/confirmation.ts'
import { DomainError } from '../../domain/errors.ts'
import { TokenCreated, UserRegistered } from '../../domain/events.ts'
import { networkOf, successCounts } from '../../domain/auth/identity-throttle.ts'
import { NEW_USER, type RegistrationInput, type SignedIn, type User } from '../../domain/auth/identity.ts'
import { checkNewPassword } from './account/check-new-password.ts'
import { admitAttempt } from './admit-attempt.ts'
import { commitIdentity, eventsAbout, userView, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import { mailRefusedUntil } from '../notifications/limits/first-messages.ts'
import type { Answer } from '../ports.ts'
import { loginKeys } from './prove-password.ts'
import { digestOf } from './refresh-tokens.ts'
import { signedIn, startSession } from './start-session.ts'

/**
 * Makes an account, signs it in and sends a mail to confirm its address. `auth.email_taken` when the address has one, whoever came first;
 * `auth.rate_limited` when this client has made too many attempts; `auth.registration_closed` or
 * `auth.invitation_required` where not everybody may have an account.
 */
export const registerUser = (
  deps: Signing,
  call: AuthCall,
  input: RegistrationInput,
): Promise<Answer<SignedIn>> =>
  admitAttempt(deps, call, async () => {
    if (deps.settings.registration === 'closed')
      throw new DomainError('auth.registration_closed', 'Registration is closed.')
    return makeAccount(deps, call, input)
  })

async function makeAccount(
  deps: Signing,
  call: AuthCall,
  input: RegistrationInput,
): Promise<Answer<SignedIn>> {
  const { email, password, time_zone: timeZone } = input
  const { identity, settings, ids } = deps
  const { now } = call
  // Who is not invited learns nothing about addresses.
  const invitation = settings.registration === 'invite' ? await invitationOf(deps, call, input) : undefined
  await checkNewPassword(deps, 'password', { password, email })
  // Spares the hash in the common case; what decides is the unique address in the database.
  if (await identity.store.isEmailTaken(email)) throw emailTaken()
  const client = networkOf(call.clientAddress)
  const passwordHash = await identity.passwords.hash(password, client)
  // Who gets no mail now can ask for one later.
  const isAsked = (await mailRefusedUntil(deps, call, email)) === null
  const user: User = {
    id: ids.uuid(),
    email,
    timeZone,
    createdAt: now,
    emailConfirmedAt: null,
    confirmationSentAt: isAsked ? now : null,
    ...NEW_USER,
  }
  const { newSession, refreshToken } = startSession(deps, user.id, call)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  const outcome = await commitIdentity(deps, {
    userId: user.id,
    at: now,
    newUser: { ...user, passwordHash },
    newSession,
    ...(invitation !== undefined && { invitation }),
    ...(isAsked && {
      mails: askToConfirm({ userId: user.id, channel: 'email' }, { now, newId: ids.uuid }),
    }),
    counts: successCounts(loginKeys(email, client), now, user.id),
    events: events([UserRegistered], [TokenCreated, { kind: 'session' }]),
  })
  if (outcome === 'email_taken') throw emailTaken()
  if (outcome === 'not_invited') throw notInvited()
  return { body: await signedIn(deps, { user, session: newSession.session }, refreshToken) }
}

async function invitationOf(
  { identity }: Signing,
  { now }: AuthCall,
  { email, invitation }: RegistrationInput,
): Promise<string> {
  const digest = digestOf(invitation ?? '')
  if (!(await identity.store.isInvited(digest, email, now))) throw notInvited()
  return digest
}

export const emailTaken = (): DomainError =>
  new DomainError('auth.email_taken', 'An account with this mail address already exists; sign in instead.', {
    errors: [{ path: 'email', message: 'already has an account' }],
  })

const notInvited = (): DomainError =>
  new DomainError('auth.invitation_required', 'Registration requires a valid invitation.', {
    errors: [{ path: 'invitation', message: 'must be a code that is unused and not expired' }],
  })
