import { DomainError } from '../domain/errors.ts'
import { LoginFailed, LoginSucceeded, TokenCreated } from '../domain/events.ts'
import {
  clientOf,
  failureCounts,
  successCounts,
  waitBeforeLogin,
  type LoginKeys,
} from '../domain/identity-throttle.ts'
import type { LoginInput, SignedIn, User } from '../domain/identity.ts'
import { admitAttempt, tooManyAttempts } from './admit-attempt.ts'
import { commitIdentity, eventsAbout, NOBODY, userView } from './auth-events.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Answer, Deps } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'
import { signedIn, startSession } from './start-session.ts'

/**
 * Signs a person in. `auth.invalid_credentials` says the same, after the same hash, for an unknown address and for a
 * wrong password; `auth.rate_limited` when there were too many of either.
 */
export function logIn(deps: Deps, call: AuthCall, input: LoginInput): Promise<Answer<SignedIn>> {
  const keys = keysOf(input.email, clientOf(call.clientAddress))
  const look = async () => {
    const login = await deps.identity.store.loadLogin(input.email, Object.values(keys), call.now)
    const wait = waitBeforeLogin(keys, login.counts, call.now)
    if (wait !== null) throw tooManyAttempts(wait)
    return login
  }
  return admitAttempt(deps, call, async () => {
    await look() // who has to wait takes nobody's turn
    return deps.identity.passwords.inTurn(async (isRight) => {
      const { user, passwordHash } = await look()
      if (!(await isRight(input.password, passwordHash)) || !user) {
        await recordFailure(deps, call, user, keys)
        throw new DomainError('auth.invalid_credentials', 'Mail address and password do not go together.')
      }
      return { body: await openSession(deps, call, user, keys) }
    })
  })
}

async function openSession(deps: Deps, call: AuthCall, user: User, keys: LoginKeys): Promise<SignedIn> {
  const { session, refreshToken } = startSession(deps, user.id, call.now)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  await commitIdentity(deps, {
    ...{ userId: user.id, at: call.now, newSession: session, forgiven: [keys.accountAndClient] },
    counts: successCounts(keys, call.now),
    events: events([LoginSucceeded], [TokenCreated, { kind: 'session' }]),
  })
  return signedIn(deps, user, refreshToken)
}

async function recordFailure(deps: Deps, call: AuthCall, user: User | null, keys: LoginKeys): Promise<void> {
  // An event has an owner; an address that is nobody's has none, so that failure is only in the log.
  if (!user) deps.log.info({ client_address: call.clientAddress }, 'sign-in with an unknown address')
  const events = user ? eventsAbout(deps, call, user.id, NOBODY) : () => []
  await commitIdentity(deps, {
    ...{ userId: user?.id ?? null, at: call.now, counts: failureCounts(keys, call.now) },
    events: events([LoginFailed, { reason: 'wrong_password' }]),
  })
}

const keysOf = (email: string, client: string): LoginKeys => ({
  accountAndClient: digestOf(`${email} ${client}`),
  account: digestOf(email),
  client: digestOf(`failures ${client}`),
  familiar: digestOf(`familiar ${email} ${client}`),
})
