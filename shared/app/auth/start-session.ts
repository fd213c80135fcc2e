import { sessionExpiry, type Session } from '../../domain/auth/identity-session.ts'
import { ACCESS_TOKEN_SECONDS, FULL_SCOPE, type SignedIn, type User } from '../../domain/auth/identity.ts'
import type { AuthCall, IdentityChange } from './ports.ts'
import type { Deps } from '../ports.ts'
import { digestOf, firstToken } from './refresh-tokens.ts'

/** A new session, not yet committed, and the only copy of its first refresh token. */
export function startSession(
  deps: Pick<Deps, 'ids' | 'settings'>,
  userId: string,
  { now, clientAddress, userAgent }: AuthCall,
  of: { id: string; clientId: string; scopes: string[] } | null = null,
): { newSession: NonNullable<IdentityChange['newSession']>; refreshToken: string } {
  const id = of?.id ?? deps.ids.uuid()
  const refreshToken = firstToken(deps.ids, id)
  const session: Session = {
    id,
    userId,
    seed: deps.ids.hex(32),
    tokenDigest: digestOf(refreshToken),
    previousDigest: null,
    rotatedAt: null,
    revokedAt: null,
    scopes: of?.scopes ?? null,
    clientId: of?.clientId ?? null,
    createdAt: now,
    expiresAt: sessionExpiry(now, now),
    clientAddress,
    userAgent,
    version: 1,
  }
  return { newSession: { session, most: deps.settings.quotas.sessions }, refreshToken }
}

export async function signedIn(
  deps: Pick<Deps, 'identity'>,
  { user, session }: { user: User; session: Session },
  refreshToken: string,
): Promise<SignedIn> {
  const actor = {
    userId: user.id,
    timeZone: user.timeZone,
    scopes: session.scopes ?? [FULL_SCOPE],
    sessionId: session.id,
    clientId: session.clientId,
  }
  return {
    access_token: await deps.identity.tokens.issue(actor),
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    refresh_token: refreshToken,
    user: { id: user.id, email: user.email },
  }
}
