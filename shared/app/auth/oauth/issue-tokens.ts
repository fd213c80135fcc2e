import { createHash } from 'node:crypto'
import { OauthError } from '../../../domain/auth/oauth.ts'
import { revoked } from '../../../domain/auth/identity-session.ts'
import type { SignedIn } from '../../../domain/auth/identity.ts'
import { DomainError } from '../../../domain/errors.ts'
import { TokenCreated, TokenRevoked } from '../../../domain/events.ts'
import { commitIdentity, eventsAbout, NOBODY, userView, type Signing } from '../auth-events.ts'
import type { AuthCall } from '../ports.ts'
import { refreshSession } from '../refresh-session.ts'
import { sessionIdOf } from '../refresh-tokens.ts'
import { signedIn, startSession } from '../start-session.ts'

interface Issued {
  signedIn: SignedIn
  scopes: readonly string[]
}

const noGrant = (message: string) => new OauthError('invalid_grant', message)

interface Exchange {
  code: string
  clientId: string
  redirectUri: string
  verifier: string
}

/** A code opens the session that it names, once: whoever comes with it again ends that session (RFC 6749 §4.1.2). */
export async function exchangeCode(deps: Signing, call: AuthCall, given: Exchange): Promise<Issued> {
  const claims = await deps.identity.links.readAuthorizationCode(given.code)
  const challenge = createHash('sha256').update(given.verifier).digest('base64url')
  if (
    !claims ||
    claims.expiresAt <= call.now.getTime() ||
    claims.clientId !== given.clientId ||
    claims.redirectUri !== given.redirectUri ||
    claims.challenge !== challenge
  ) {
    throw noGrant(
      'The code is invalid or expired, or was made for another client, redirect_uri or code_verifier.',
    )
  }
  const user = await deps.identity.store.findUser(claims.userId)
  if (user?.version !== claims.userVersion) throw noGrant('The account has changed; ask its user again.')
  const { sessionId, clientId, scopes } = claims
  const { newSession, refreshToken } = startSession(deps, user.id, call, { id: sessionId, clientId, scopes })
  const events = eventsAbout(deps, call, user.id, userView(user.id))
  const outcome = await commitIdentity(deps, {
    userId: user.id,
    at: call.now,
    newSession,
    events: events([TokenCreated, { kind: 'oauth' }]),
  })
  if (outcome !== 'applied') {
    await endUsed(deps, call, sessionId)
    throw noGrant('The code was used before; what was opened with it has ended.')
  }
  return { signedIn: await signedIn(deps, { user, session: newSession.session }, refreshToken), scopes }
}

async function endUsed(deps: Signing, call: AuthCall, sessionId: string): Promise<void> {
  const found = await deps.identity.store.loadSession(sessionId)
  if (!found || found.session.revokedAt) return
  await commitIdentity(deps, {
    userId: found.user.id,
    at: call.now,
    changedSession: revoked(found.session, call.now),
    events: eventsAbout(deps, call, found.user.id, NOBODY)([TokenRevoked, { reason: 'code_reused' }]),
  })
}

/** The next tokens of a client's session, by the rules of every session. */
export async function refreshClient(
  deps: Signing,
  call: AuthCall,
  { refreshToken, clientId }: { refreshToken: string; clientId: string },
): Promise<Issued> {
  const sessionId = sessionIdOf(refreshToken)
  const found = sessionId && (await deps.identity.store.loadSession(sessionId))
  if (!found || found.session.clientId !== clientId) throw noGrant('The refresh token is not of this client.')
  try {
    const { body } = await refreshSession(deps, call, refreshToken)
    return { signedIn: body, scopes: found.session.scopes ?? [] }
  } catch (error) {
    if (error instanceof DomainError && error.code === 'auth.invalid_token') throw noGrant(error.message)
    throw error
  }
}
