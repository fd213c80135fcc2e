import { sessionView, type SessionList } from '../../domain/auth/identity-session.ts'
import type { Actor, Answer, Deps } from '../ports.ts'

const MAX_LISTED = 1000

/** Where the caller is signed in. */
export async function listSessions(
  { identity, clock }: Pick<Deps, 'identity' | 'clock'>,
  { userId, sessionId }: Actor,
): Promise<Answer<SessionList>> {
  const sessions = await identity.store.listSessions(userId, clock.now(), MAX_LISTED)
  return { body: { items: sessions.map((session) => sessionView(session, sessionId)) } }
}
