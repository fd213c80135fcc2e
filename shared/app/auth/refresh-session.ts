import { DomainError } from '../../domain/errors.ts'
import { TokenRevoked } from '../../domain/events.ts'
import { judgeRefresh, revoked, rotated } from '../../domain/auth/identity-session.ts'
import type { SignedIn } from '../../domain/auth/identity.ts'
import { commitIdentity, eventsAbout, NOBODY, retryIdentity, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import type { Answer } from '../ports.ts'
import { digestOf, sessionIdOf, successorOf } from './refresh-tokens.ts'
import { signedIn } from './start-session.ts'

/**
 * Exchanges a refresh token for the next one and an access token. A retry within a minute gets the same next token;
 * any other second use ends the session. `auth.invalid_token` for what cannot be exchanged.
 */
export function refreshSession(deps: Signing, call: AuthCall, token: string): Promise<Answer<SignedIn>> {
  return retryIdentity(async () => {
    const sessionId = sessionIdOf(token)
    const found = sessionId && (await deps.identity.store.loadSession(sessionId))
    if (!found) throw invalidRefreshToken()
    const { session, user } = found
    const next = successorOf(session, token)
    const change = { userId: user.id, at: call.now }
    const judgement = judgeRefresh(session, digestOf(token), call.now)
    switch (judgement) {
      case 'repeat':
        return { body: await signedIn(deps, { user, session }, next), replayed: true }
      case 'rotate': {
        const outcome = await commitIdentity(deps, {
          ...change,
          changedSession: rotated(session, digestOf(next), call),
          events: [],
        })
        return outcome === 'conflict' ? 'conflict' : { body: await signedIn(deps, { user, session }, next) }
      }
      case 'revoke': {
        const events = eventsAbout(deps, call, user.id, NOBODY)
        const outcome = await commitIdentity(deps, {
          ...change,
          changedSession: revoked(session, call.now),
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
  new DomainError('auth.invalid_token', 'The refresh token is invalid or expired; sign in again.')
