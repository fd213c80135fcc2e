import { z } from 'zod'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { instantText } from '../fields.ts'

/** A sign-in on one device. Each of its refresh tokens is for one use and leads to the next. */
export interface Session extends SessionClient {
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
  /** Of a program's session: what it may do, and the URL that says what it is. Null: a person's own, who may do everything. */
  scopes: string[] | null
  clientId: string | null
  version: number
}

/** Who used a session last, as far as their request tells. */
interface SessionClient {
  clientAddress: string | null
  userAgent: string | null
}

/** What somebody's access ends with: their session or, where an issuer elsewhere signs them in, their account. */
export const accessOf = ({ sessionId, userId }: { sessionId?: string; userId: string }): string =>
  sessionId ?? userId

export const sessionEnded = (): DomainError =>
  new DomainError('auth.invalid_token', 'The session of this token has ended; sign in again.')

/** A session ends when it has not been refreshed for this long … */
const IDLE_MS = 30 * DAY_MS
/** … and this long after the sign-in, however often it is refreshed. */
const LIFETIME_MS = 90 * DAY_MS
/** How long the token before the current one still gets the answer that its client may have missed. */
const RETRY_MS = 60_000

export const sessionExpiry = (createdAt: Date, now: Date): Date =>
  new Date(Math.min(now.getTime() + IDLE_MS, createdAt.getTime() + LIFETIME_MS))

export const hasEnded = (session: Session, now: Date): boolean =>
  session.revokedAt !== null || session.expiresAt <= now

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
  if (hasEnded(session, now)) return 'refuse'
  if (digest === session.tokenDigest) return 'rotate'
  const isRetry = session.rotatedAt !== null && now.getTime() - session.rotatedAt.getTime() <= RETRY_MS
  return digest === session.previousDigest && isRetry ? 'repeat' : 'revoke'
}

export const rotated = (
  session: Session,
  nextDigest: string,
  { now, clientAddress, userAgent }: SessionClient & { now: Date },
): Session => ({
  ...session,
  tokenDigest: nextDigest,
  previousDigest: session.tokenDigest,
  rotatedAt: now,
  expiresAt: sessionExpiry(session.createdAt, now),
  clientAddress,
  userAgent,
  version: session.version + 1,
})

export const revoked = (session: Session, now: Date): Session => ({
  ...session,
  revokedAt: now,
  version: session.version + 1,
})

const SessionView = z
  .object({
    id: z.uuid(),
    created_at: instantText.describe('When somebody signed in'),
    last_used_at: instantText.describe('When it was last refreshed, which clients do every 15 minutes'),
    expires_at: instantText.describe('When it ends unless it is refreshed'),
    client_address: z.string().nullable().describe('Where the last refresh came from'),
    user_agent: z.string().nullable().describe('What the client calls itself, cut at 256 bytes'),
    client_id: z.string().nullable().describe('Of a program that was let in: the URL that says what it is'),
    scopes: z.array(z.string()).nullable().describe('What it may do; null: everything'),
    current: z.boolean().describe('Whether the access token of this request belongs to it'),
  })
  .meta({
    id: 'Session',
    examples: [
      {
        id: '0199d0a0-7c1e-7000-8000-5f2b1c9a4e10',
        created_at: '2026-11-02T07:30:00.000Z',
        last_used_at: '2026-11-30T12:15:00.000Z',
        expires_at: '2026-12-30T12:15:00.000Z',
        client_address: '203.0.113.9',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
        client_id: null,
        scopes: null,
        current: true,
      },
    ],
  })

export const SessionList = z
  .object({ items: z.array(SessionView).describe('Those used last first') })
  .meta({ id: 'SessionList' })
export type SessionList = z.infer<typeof SessionList>

export const sessionView = (
  session: Session,
  currentId: string | undefined,
): z.infer<typeof SessionView> => ({
  id: session.id,
  created_at: session.createdAt.toISOString(),
  last_used_at: (session.rotatedAt ?? session.createdAt).toISOString(),
  expires_at: session.expiresAt.toISOString(),
  client_address: session.clientAddress,
  user_agent: session.userAgent,
  client_id: session.clientId,
  scopes: session.scopes,
  current: session.id === currentId,
})
