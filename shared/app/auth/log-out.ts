import { LoggedOut, TokenRevoked } from '../../domain/events.ts'
import { revoked } from '../../domain/auth/identity-session.ts'
import { commitIdentity, eventsAbout, retryIdentity, userView, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import { sessionIdOf } from './refresh-tokens.ts'

/**
 * Ends the session of a refresh token, also of an older one of the chain. A token that leads to no open session is no
 * error: what the client wants is already so (RFC 7009 §2.2).
 */
export function logOut(deps: Signing, call: AuthCall, token: string): Promise<void> {
  return retryIdentity(async () => {
    const sessionId = sessionIdOf(token)
    const found = sessionId && (await deps.identity.store.loadSession(sessionId))
    if (!found || found.session.revokedAt || found.session.expiresAt <= call.now) return undefined
    const { session, user } = found
    const events = eventsAbout(deps, call, user.id, userView(user.id))
    const outcome = await commitIdentity(deps, {
      userId: user.id,
      at: call.now,
      changedSession: revoked(session, call.now),
      events: events([LoggedOut], [TokenRevoked, { reason: 'logout' }]),
    })
    return outcome === 'conflict' ? outcome : undefined
  })
}
