import type { ComposedDeps } from '../../functions/compose.ts'
import type { Session } from '../../shared/domain/auth/identity-session.ts'
import { FULL_SCOPE } from '../../shared/domain/auth/identity.ts'
import { aSession } from '../builders/a-session.ts'

/** A new session of a user, with an account or without, and its access token. */
export async function openSession(
  { identity, clock }: Pick<ComposedDeps, 'identity' | 'clock'>,
  userId: string,
  { timeZone = 'UTC', scopes = [FULL_SCOPE] }: { timeZone?: string; scopes?: string[] } = {},
): Promise<{ session: Session; token: string }> {
  const session = aSession(userId, clock.now())
  const newSession = { session, most: 1000 }
  await identity.store.commit({ userId, at: session.createdAt, newSession, events: [] })
  return { session, token: await identity.tokens.issue({ userId, timeZone, scopes, sessionId: session.id }) }
}
