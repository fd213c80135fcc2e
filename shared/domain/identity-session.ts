/** A sign-in on one device. Each of its refresh tokens is for one use and leads to the next. */
export interface Session {
  id: string
  userId: string
  /** Random; together with a token it makes the token's successor. */
  seed: string
  tokenDigest: string
  /** The token before the current one, which a client may hold that never saw the answer to it. */
  previousDigest: string | null
  rotatedAt: Date | null
  createdAt: Date
  expiresAt: Date
  revokedAt: Date | null
  version: number
}

/** A session ends when it has not been refreshed for this long. */
const IDLE_MS = 30 * 24 * 60 * 60 * 1000
/** How long the token before the current one still gets the answer that its client may have missed. */
const RETRY_MS = 60_000

export const sessionExpiry = (now: Date): Date => new Date(now.getTime() + IDLE_MS)

/**
 * What a presented refresh token leads to: `rotate` for the current one, `repeat` for its predecessor within a minute
 * of its use (the answer got lost and is given again), `revoke` for any older one, because then two parties hold the
 * chain (RFC 9700 §4.14.2), and `refuse` when the session has ended.
 */
export function judgeRefresh(
  session: Session,
  digest: string,
  now: Date,
): 'rotate' | 'repeat' | 'revoke' | 'refuse' {
  if (session.revokedAt || session.expiresAt <= now) return 'refuse'
  if (digest === session.tokenDigest) return 'rotate'
  const isRetry = session.rotatedAt !== null && now.getTime() - session.rotatedAt.getTime() <= RETRY_MS
  return digest === session.previousDigest && isRetry ? 'repeat' : 'revoke'
}

export const rotated = (session: Session, nextDigest: string, now: Date): Session => ({
  ...session,
  tokenDigest: nextDigest,
  previousDigest: session.tokenDigest,
  rotatedAt: now,
  expiresAt: sessionExpiry(now),
  version: session.version + 1,
})

export const revoked = (session: Session, now: Date): Session => ({
  ...session,
  revokedAt: now,
  version: session.version + 1,
})
