import type { ActorView } from '../domain/actor.ts'
import { DomainError } from '../domain/errors.ts'
import { draftEvent, type EventDraft } from '../domain/events.ts'
import type {
  LoggedOut,
  LoginFailed,
  LoginSucceeded,
  TokenCreated,
  TokenRevoked,
  UserRegistered,
} from '../domain/events.ts'
import type { AuthCall, IdentityChange, IdentityOutcome } from './identity-ports.ts'
import type { Deps } from './ports.ts'

type Definition =
  | typeof UserRegistered
  | typeof LoginSucceeded
  | typeof LoginFailed
  | typeof LoggedOut
  | typeof TokenCreated
  | typeof TokenRevoked

/** Daybook itself, where nobody has shown who they are. */
export const NOBODY: ActorView = { type: 'system', id: 'auth' }

export const userView = (userId: string): ActorView => ({ type: 'user', id: userId })

/** Drafts events about a user for the audit trail; they carry the client's address and agent, never a secret. */
export function eventsAbout(deps: Pick<Deps, 'ids'>, call: AuthCall, userId: string, actor: ActorView) {
  return (...facts: [Definition, { kind?: string; reason?: string }?][]): EventDraft[] =>
    facts.map(([definition, extra]) =>
      draftEvent(definition, {
        ...{ id: deps.ids.uuid(), subject: `user/${userId}`, time: call.now, trace: call.trace },
        data: { actor, client_address: call.clientAddress, user_agent: call.userAgent, ...extra },
      }),
    )
}

export async function commitIdentity(deps: Deps, change: IdentityChange): Promise<IdentityOutcome> {
  const outcome = await deps.identity.store.commit(change)
  if (outcome === 'applied' && change.events.length > 0) deps.publishing.wake()
  return outcome
}

const ATTEMPTS = 5

/** Runs load–decide–commit again when another request changed the session in between. */
export async function untilCommitted<T>(work: () => Promise<T | 'conflict'>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const result = await work()
    if (result !== 'conflict') return result
  }
  throw new DomainError('service.unavailable', 'This session is being changed by many requests at once.', {
    retryAfterSeconds: 1,
  })
}
