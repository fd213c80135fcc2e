import { DomainError } from '../domain/errors.ts'
import { TokenCreated, TokenRevoked } from '../domain/events.ts'
import { judgeRefresh, revoked, rotated } from '../domain/identity-session.ts'
import type { SignedIn } from '../domain/identity.ts'
import { commitIdentity, eventsAbout, NOBODY, untilCommitted, userView } from './auth-events.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Answer, Deps } from './ports.ts'
import { digestOf, sessionIdOf, successorOf } from './refresh-tokens.ts'
import { signedIn } from './start-session.ts'

/**
 * Exchanges a refresh token for the next one and an access token. A retry within a minute gets the same next token;
 * any other second use ends the session. `auth.invalid_token` for what cannot be exchanged.
 */
export function refreshSession(deps: Deps, call: AuthCall, token: string): Promise<Answer<SignedIn>> {
  return untilCommitted(async () => {
    const sessionId = sessionIdOf(token)
    const found = sessionId && (await deps.identity.store.loadSession(sessionId))
    if (!found) throw invalidRefreshToken()
    const { session, user } = found
    const next = successorOf(session, token)
    const change = { userId: user.id, at: call.now }
    const judgement = judgeRefresh(session, digestOf(token), call.now)
    switch (judgement) {
      case 'repeat':
        return { body: await signedIn(deps, user, next), replayed: true }
      case 'rotate': {
        const events = eventsAbout(deps, call, user.id, userView(user.id))
        const outcome = await commitIdentity(deps, {
          ...{ ...change, changedSession: rotated(session, digestOf(next), call.now) },
          events: events([TokenCreated, { kind: 'access' }]),
        })
        return outcome === 'conflict' ? 'conflict' : { body: await signedIn(deps, user, next) }
      }
      case 'revoke': {
        const events = eventsAbout(deps, call, user.id, NOBODY)
        const outcome = await commitIdentity(deps, {
          ...{ ...change, changedSession: revoked(session, call.now) },
          events: events([TokenRevoked, { reason: 'refresh_token_reused' }]),
        })
        if (outcome === 'conflict') return 'conflict'
        throw invalidRefreshToken()
      }
      case 'refuse':
        throw invalidRefreshToken()
    }
  })
}

const invalidRefreshToken = (): DomainError =>
  new DomainError('auth.invalid_token', 'This refresh token is not valid, or not any more; sign in again.')
