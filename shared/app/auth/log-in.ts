import { LoginSucceeded, TokenCreated } from '../../domain/events.ts'
import { successCounts } from '../../domain/auth/identity-throttle.ts'
import type { LoginInput, SignedIn } from '../../domain/auth/identity.ts'
import { admitAttempt } from './admit-attempt.ts'
import { commitIdentity, eventsAbout, userView, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import type { Answer } from '../ports.ts'
import { provePassword, wrongCredentials, type Proof } from './prove-password.ts'
import { signedIn, startSession } from './start-session.ts'

/** Signs a person in; refused as provePassword says. */
export const logIn = (deps: Signing, call: AuthCall, input: LoginInput): Promise<Answer<SignedIn>> =>
  admitAttempt(deps, call, async () => {
    const proof = await provePassword(deps, call, { email: input.email }, [input.password])
    // Not within the turn: it waits for the user's row, and nobody else's sign-in has to wait for that.
    return { body: await openSession(deps, call, proof) }
  })

async function openSession(
  deps: Signing,
  call: AuthCall,
  { user, passwordHash, keys }: Proof,
): Promise<SignedIn> {
  const { newSession, refreshToken } = startSession(deps, user.id, call)
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  const outcome = await commitIdentity(deps, {
    userId: user.id,
    at: call.now,
    provedPassword: { userId: user.id, passwordHash },
    newSession,
    forgiven: [keys.accountAndClient],
    counts: successCounts(keys, call.now, user.id),
    events: events([LoginSucceeded], [TokenCreated, { kind: 'session' }]),
  })
  // The password was changed, or the account deleted, at the same moment.
  if (outcome !== 'applied') throw wrongCredentials()
  return signedIn(deps, { user, session: newSession.session }, refreshToken)
}
