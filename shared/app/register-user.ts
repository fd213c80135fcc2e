import { DomainError } from '../domain/errors.ts'
import { TokenCreated, UserRegistered } from '../domain/events.ts'
import type { RegistrationInput, SignedIn } from '../domain/identity.ts'
import { admitAttempt } from './admit-attempt.ts'
import { commitIdentity, eventsAbout, userView } from './auth-events.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Answer, Deps } from './ports.ts'
import { signedIn, startSession } from './start-session.ts'

/**
 * Makes an account and signs it in. `auth.email_taken` when the address has one, whoever came first;
 * `auth.rate_limited` when this client has made too many attempts.
 */
export const registerUser = (
  deps: Deps,
  call: AuthCall,
  input: RegistrationInput,
): Promise<Answer<SignedIn>> => admitAttempt(deps, call, () => makeAccount(deps, call, input))

async function makeAccount(deps: Deps, call: AuthCall, input: RegistrationInput): Promise<Answer<SignedIn>> {
  const { email, password, time_zone: timeZone } = input
  // Spares the hash in the common case; what decides is the unique address in the database.
  if (await deps.identity.store.isEmailTaken(email)) throw emailTaken()
  const passwordHash = await deps.identity.passwords.hash(password)
  const user = { id: deps.ids.uuid(), email, timeZone, createdAt: call.now }
  const { session, refreshToken } = startSession(deps, user.id, call.now)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  const outcome = await commitIdentity(deps, {
    ...{ userId: user.id, at: call.now, newUser: { ...user, passwordHash }, newSession: session },
    events: events([UserRegistered], [TokenCreated, { kind: 'session' }]),
  })
  if (outcome === 'email_taken') throw emailTaken()
  return { body: await signedIn(deps, user, refreshToken) }
}

const emailTaken = (): DomainError =>
  new DomainError('auth.email_taken', 'This mail address has an account already; sign in instead.', {
    errors: [{ path: 'email', message: 'has an account already' }],
  })
