import { refuseAgents } from '../../domain/auth/api-token.ts'
import { DomainError } from '../../domain/errors.ts'
import { TokenRevoked } from '../../domain/events.ts'
import { hasEnded, revoked } from '../../domain/auth/identity-session.ts'
import type { Actor, Answer } from '../ports.ts'
import { commitIdentity, eventsAbout, retryIdentity, type Signing } from './auth-events.ts'
import { endSessions } from './end-sessions.ts'
import type { AuthCall } from './ports.ts'

/** Ends a session of the caller, the one of the request included. One that has ended stays so, and nothing more is told. */
export function endSession(
  deps: Signing,
  call: AuthCall,
  actor: Actor,
  sessionId: string,
): Promise<Answer<null>> {
  refuseAgents(actor)
  const { userId, view } = actor
  return retryIdentity(async () => {
    const found = await deps.identity.store.loadSession(sessionId)
    if (found?.user.id !== userId) throw new DomainError('session.not_found', 'There is no such session.')
    if (hasEnded(found.session, call.now)) return { body: null }
    const outcome = await commitIdentity(deps, {
      userId,
      at: call.now,
      changedSession: revoked(found.session, call.now),
      events: eventsAbout(deps, call, userId, view)([TokenRevoked, { reason: 'session_ended' }]),
    })
    return outcome === 'conflict' ? outcome : { body: null }
  })
}

/** Ends all sessions of the caller, or all but that of the request, and with them all API tokens. */
export async function endAllSessions(
  deps: Signing,
  call: AuthCall,
  actor: Actor,
  except: 'current' | undefined,
): Promise<Answer<null>> {
  refuseAgents(actor)
  const { userId, view, sessionId } = actor
  const { store } = deps.identity
  const kept = except === undefined ? null : (sessionId ?? null)
  const sessions = await store.listSessions(userId, call.now, 2)
  const open = [...sessions, ...(await store.listApiTokens(userId, call.now))]
  if (open.every(({ id }) => id === kept)) return { body: null }
  await commitIdentity(deps, {
    userId,
    at: call.now,
    ...endSessions(userId, kept),
    events: eventsAbout(deps, call, userId, view)([TokenRevoked, { reason: 'sessions_ended' }]),
  })
  return { body: null }
}
