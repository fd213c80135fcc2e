import type { IdentityChange, NewUser } from '../app/identity-ports.ts'
import type { EventDraft } from '../domain/events.ts'
import type { Session } from '../domain/identity-session.ts'
import type { Count } from '../domain/identity-throttle.ts'
import type { User } from '../domain/identity.ts'

/** Rows reach us as columns or, from a subquery, as JSON: instants are dates or text. */
type Instant = Date | string

export interface UserRow {
  id: string
  email: string | null
  time_zone: string
  created_at: Instant
}

export interface SessionRow {
  id: string
  user_id: string
  seed: string
  token_digest: string
  previous_digest: string | null
  rotated_at: Instant | null
  created_at: Instant
  expires_at: Instant
  revoked_at: Instant | null
  version: number
}

export interface CountRow {
  key: string
  count: number
  resets_at: Instant
}

const instant = (value: Instant): Date => new Date(value)
const instantOrNull = (value: Instant | null): Date | null => (value === null ? null : new Date(value))

export const userFromRow = (row: UserRow): User => ({
  ...{ id: row.id, email: row.email, timeZone: row.time_zone, createdAt: instant(row.created_at) },
})

export const userToRow = (user: NewUser): object => ({
  id: user.id,
  email: user.email,
  password_hash: user.passwordHash,
  time_zone: user.timeZone,
  created_at: user.createdAt,
})

export const sessionFromRow = (row: SessionRow): Session => ({
  id: row.id,
  userId: row.user_id,
  seed: row.seed,
  tokenDigest: row.token_digest,
  previousDigest: row.previous_digest,
  rotatedAt: instantOrNull(row.rotated_at),
  createdAt: instant(row.created_at),
  expiresAt: instant(row.expires_at),
  revokedAt: instantOrNull(row.revoked_at),
  version: row.version,
})

const sessionToRow = (session: Session): SessionRow => ({
  id: session.id,
  user_id: session.userId,
  seed: session.seed,
  token_digest: session.tokenDigest,
  previous_digest: session.previousDigest,
  rotated_at: session.rotatedAt,
  created_at: session.createdAt,
  expires_at: session.expiresAt,
  revoked_at: session.revokedAt,
  version: session.version,
})

export const countFromRow = (row: CountRow): Count => ({
  ...{ key: row.key, count: row.count, resetsAt: instant(row.resets_at) },
})

/** The `rows` of commit_identity, without the parts the change does not have. */
export const identityRows = (change: IdentityChange): object => ({
  at: change.at,
  ...(change.newUser && { new_user: userToRow(change.newUser) }),
  ...(change.newSession && { new_session: sessionToRow(change.newSession) }),
  ...(change.changedSession && { changed_session: sessionToRow(change.changedSession) }),
  ...(change.newTicket && {
    new_ticket: {
      digest: change.newTicket.digest,
      user_id: change.newTicket.actor.userId,
      purpose: change.newTicket.purpose,
      actor: change.newTicket.actor,
      expires_at: change.newTicket.expiresAt,
    },
  }),
  ...(change.counts && {
    counts: change.counts.map(({ key, resetsAt }) => ({ key, resets_at: resetsAt })),
  }),
  ...(change.forgiven && { forgiven: change.forgiven }),
})

/** The `change` of commit_change: events alone, no tasks. */
export const eventsRow = (userId: string, at: Date, events: readonly EventDraft[]): object => ({
  user_id: userId,
  at,
  active_delta: 0,
  completed_delta: 0,
  events: events.map(({ trace, ...event }) => ({ ...event, ...trace })),
})
