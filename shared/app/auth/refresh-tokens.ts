import { createHash, createHmac } from 'node:crypto'
import type { Ids } from '../ports.ts'

const FORM = /^dbr_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})[0-9a-f]{64}$/

/** What is kept of a secret that we hand out. A plain hash will do, because our secrets are 256 random bits. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** The first refresh token of a session: the session's id, then 32 random bytes. */
export const firstToken = (ids: Ids, sessionId: string): string => tokenOf(sessionId, ids.hex(32))

/**
 * The token that follows `token`. It can be made again for a client that never got it, yet is kept nowhere: it takes
 * the session's seed, which clients do not have, and the token, which we do not have.
 */
export const successorOf = (session: { id: string; seed: string }, token: string): string =>
  tokenOf(session.id, createHmac('sha256', session.seed).update(token).digest('hex'))

/** The session a refresh token belongs to, or null for what is no refresh token of ours. */
export const sessionIdOf = (token: string): string | null => FORM.exec(token)?.slice(1).join('-') ?? null

const tokenOf = (sessionId: string, secret: string): string => `dbr_${sessionId.replaceAll('-', '')}${secret}`
