import { fromClient, systemActor, type ActorView } from '../../domain/actor.ts'
import { DomainError } from '../../domain/errors.ts'
import { draftEvent, type EventDraft } from '../../domain/draft-event.ts'
import type {
  AccountDeleted,
  AccountExported,
  AccountUpdated,
  EmailChanged,
  EmailChangeRequested,
  EmailConfirmed,
  LoggedOut,
  LoginFailed,
  LoginSucceeded,
  PasswordChanged,
  PasswordReset,
  PasswordResetRequested,
  PreferencesUpdated,
  TokenCreated,
  TokenRevoked,
  UserRegistered,
} from '../../domain/events.ts'
import type { PreferencesRecord } from '../../domain/notifications/notification-preferences.ts'
import type { AuthCall, IdentityChange, IdentityOutcome } from './ports.ts'
import type { Deps } from '../ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export type Signing = Pick<Deps, 'identity' | 'ids' | 'log' | 'publishing' | 'settings'>

type Definition =
  | typeof AccountDeleted
  | typeof AccountExported
  | typeof AccountUpdated
  | typeof EmailChanged
  | typeof EmailChangeRequested
  | typeof PasswordChanged
  | typeof PasswordReset
  | typeof PasswordResetRequested
  | typeof PreferencesUpdated
  | typeof UserRegistered
  | typeof EmailConfirmed
  | typeof LoginSucceeded
  | typeof LoginFailed
  | typeof LoggedOut
  | typeof TokenCreated
  | typeof TokenRevoked

/** Daybook itself, where nobody has shown who they are. */
export const NOBODY = systemActor('auth')

export const userView = (userId: string): ActorView => ({ type: 'user', id: userId })

interface Extra {
  kind?: string
  token?: { id: string; name: string; scopes: string[] }
  token_id?: string
  reason?: string
  count?: number
  display_name?: string | null
  time_zone?: string
  preferences?: PreferencesRecord
}

/** Drafts events about a user for the audit trail; they carry the client's address and agent, never a secret. */
export function eventsAbout(deps: Pick<Deps, 'ids'>, call: AuthCall, userId: string, actor: ActorView) {
  const from = fromClient(actor, { address: call.clientAddress, agent: call.userAgent })
  return (...facts: [Definition, Extra?][]): EventDraft[] =>
    facts.map(([definition, extra]) =>
      draftEvent(definition, {
        id: deps.ids.uuid(),
        subject: `user/${userId}`,
        time: call.now,
        trace: call.trace,
        data: { actor: from, ...extra },
      }),
    )
}

export async function commitIdentity(deps: Signing, change: IdentityChange): Promise<IdentityOutcome> {
  const outcome = await deps.identity.store.commit(change)
  // At once here; the others are notified.
  const endsSessions =
    change.changedSession?.revokedAt ?? change.endedSessions ?? change.deletedUser ?? change.revokedApiToken
  if (change.userId && endsSessions !== undefined) deps.identity.sessions.forget(change.userId)
  if (outcome === 'applied' && change.events.length > 0) deps.publishing.wake()
  return outcome
}

const ATTEMPTS = 5

/** Runs load–decide–commit again when another request changed the session in between. */
export async function retryIdentity<T>(work: () => Promise<T | 'conflict'>): Promise<T> {
  const result = await retryOnConflict(ATTEMPTS, work)
  if (result !== 'conflict') return result
  throw new DomainError(
    'service.unavailable',
    'Too many concurrent requests change this session; try again.',
    {
      retryAfterSeconds: 1,
    },
  )
}
