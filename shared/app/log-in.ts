import { DomainError } from '../domain/errors.ts'
import { LoginFailed, LoginSucceeded, TokenCreated } from '../domain/events.ts'
import { waitBeforeLogin, windowsOf, type LoginKeys } from '../domain/identity-throttle.ts'
import type { LoginInput, SignedIn, User } from '../domain/identity.ts'
import { commitIdentity, eventsAbout, NOBODY, userView } from './auth-events.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Answer, Deps } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'
import { signedIn, startSession } from './start-session.ts'

/**
 * Signs a person in. `auth.invalid_credentials` says the same, after the same work, for an unknown address and for a
 * wrong password; `auth.rate_limited` when there were too many of either.
 */
export function logIn(deps: Deps, call: AuthCall, input: LoginInput): Promise<Answer<SignedIn>> {
  const keys = keysOf(input.email, call.clientAddress)
  return deps.identity.passwords.inTurn(async (isRight) => {
    const login = await deps.identity.store.loadLogin(
      input.email,
      [keys.accountAndAddress, keys.account],
      call.now,
    )
    const wait = waitBeforeLogin(keys, login.failures, call.now)
    if (wait !== null) throw tooManyFailures(wait)
    const { user } = login
    if (!(await isRight(input.password, login.passwordHash)) || !user) {
      await recordFailure(deps, call, user, keys)
      throw new DomainError('auth.invalid_credentials', 'Mail address and password do not go together.')
    }
    return { body: await openSession(deps, call, user, keys) }
  })
}

async function openSession(deps: Deps, call: AuthCall, user: User, keys: LoginKeys): Promise<SignedIn> {
  const { session, refreshToken } = startSession(deps, user.id, call.now)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  await commitIdentity(deps, {
    ...{ userId: user.id, at: call.now, newSession: session, forgiven: [keys.accountAndAddress] },
    events: events([LoginSucceeded], [TokenCreated, { kind: 'session' }]),
  })
  return signedIn(deps, user, refreshToken)
}

async function recordFailure(deps: Deps, call: AuthCall, user: User | null, keys: LoginKeys): Promise<void> {
  // An event has an owner; an address that is nobody's has none, so that failure is only in the log.
  if (!user) deps.log.info({ client_address: call.clientAddress }, 'sign-in with an unknown address')
  const events = user ? eventsAbout(deps, call, user.id, NOBODY) : () => []
  await commitIdentity(deps, {
    ...{ userId: user?.id ?? null, at: call.now, failures: windowsOf(keys, call.now) },
    events: events([LoginFailed, { reason: 'wrong_password' }]),
  })
}

const keysOf = (email: string, clientAddress: string | null): LoginKeys => ({
  accountAndAddress: digestOf(`${email} ${clientAddress ?? 'unknown'}`),
  account: digestOf(email),
})

const tooManyFailures = (retryAfterSeconds: number): DomainError =>
  new DomainError('auth.rate_limited', `Too many failed sign-ins; wait ${retryAfterSeconds} seconds.`, {
    retryAfterSeconds,
  })
