import type { IdentityChange, Ticket } from '../../app/auth/ports.ts'
import type { ApiToken } from '../../domain/auth/api-token.ts'
import { columnsOf } from '../columns.ts'
import type { Session } from '../../domain/auth/identity-session.ts'
import type { Count } from '../../domain/auth/identity-throttle.ts'
import type { User } from '../../domain/auth/identity.ts'

/** Rows reach us as columns or, from a subquery, as JSON: instants are dates or text. */
type Instant = Date | string

export interface UserRow {
  id: string
  email: string | null
  time_zone: string
  created_at: Instant
  email_confirmed_at: Instant | null
  confirmation_sent_at: Instant | null
  display_name: string | null
  new_email: string | null
  new_email_at: Instant | null
  version: number
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
  client_address: string | null
  user_agent: string | null
  scopes: string[] | null
  client_id: string | null
}

export interface CountRow {
  key: string
  count: number
  resets_at: Instant
}

const instant = (value: Instant): Date => new Date(value)
const instantOrNull = (value: Instant | null): Date | null => (value === null ? null : new Date(value))

export const userFromRow = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  timeZone: row.time_zone,
  createdAt: instant(row.created_at),
  emailConfirmedAt: instantOrNull(row.email_confirmed_at),
  confirmationSentAt: instantOrNull(row.confirmation_sent_at),
  displayName: row.display_name,
  newEmail: row.new_email,
  newEmailAt: instantOrNull(row.new_email_at),
  version: row.version,
})

export const userToRow = (user: User & { passwordHash?: string | null }): object => ({
  id: user.id,
  email: user.email,
  ...(user.passwordHash !== undefined && { password_hash: user.passwordHash }),
  time_zone: user.timeZone,
  created_at: user.createdAt,
  email_confirmed_at: user.emailConfirmedAt,
  confirmation_sent_at: user.confirmationSentAt,
  display_name: user.displayName,
  new_email: user.newEmail,
  new_email_at: user.newEmailAt,
  version: user.version,
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
  clientAddress: row.client_address,
  userAgent: row.user_agent,
  scopes: row.scopes,
  clientId: row.client_id,
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
  client_address: session.clientAddress,
  user_agent: session.userAgent,
  scopes: session.scopes,
  client_id: session.clientId,
})

const ticketToRow = ({ digest, purpose, actor, expiresAt }: Ticket): object => ({
  digest,
  user_id: actor.userId,
  purpose,
  actor,
  expires_at: expiresAt,
})

export const apiTokens = columnsOf<ApiToken>()({
  id: 'id',
  userId: 'user_id',
  name: 'name',
  scopes: 'scopes',
  digest: 'digest',
  createdAt: 'created_at',
  expiresAt: 'expires_at',
  lastUsedAt: 'last_used_at',
})
export type ApiTokenRow = Parameters<typeof apiTokens.fromRow>[0]

export const countFromRow = (row: CountRow): Count => ({
  key: row.key,
  count: row.count,
  resetsAt: instant(row.resets_at),
})

/** The `rows` of commit_identity, without the parts the change does not have. */
export const identityRows = (change: IdentityChange): object => ({
  at: change.at,
  ...(change.newUser && { new_user: userToRow(change.newUser) }),
  ...(change.changedUser && { changed_user: userToRow(change.changedUser) }),
  ...(change.provedPassword && {
    proved_password: {
      user_id: change.provedPassword.userId,
      password_hash: change.provedPassword.passwordHash,
    },
  }),
  ...(change.usedReset !== undefined && { used_reset: change.usedReset }),
  ...(change.voidedResets !== undefined && { voided_resets: change.voidedResets }),
  ...(change.deletedUser !== undefined && { deleted_user: change.deletedUser }),
  ...(change.newSession && {
    new_session: sessionToRow(change.newSession.session),
    most_sessions: change.newSession.most,
  }),
  ...(change.changedSession && { changed_session: sessionToRow(change.changedSession) }),
  ...(change.endedSessions && {
    ended_sessions: {
      user_id: change.endedSessions.userId,
      except: change.endedSessions.except,
    },
  }),
  ...(change.newApiToken && {
    new_api_token: apiTokens.toRow(change.newApiToken.token),
    most_api_tokens: change.newApiToken.most,
  }),
  ...(change.revokedApiToken !== undefined && { revoked_api_token: change.revokedApiToken }),
  ...(change.newTicket && {
    new_ticket: ticketToRow(change.newTicket.ticket),
    most_tickets: change.newTicket.most,
  }),
  ...(change.invitation !== undefined && { invitation: change.invitation }),
  ...(change.counts && {
    counts: change.counts.map(({ key, resetsAt, userId }) => ({
      key,
      resets_at: resetsAt,
      user_id: userId,
    })),
  }),
  ...(change.tally && { tally: { key: change.tally.key, all_up_to: change.tally.allUpTo } }),
  ...(change.forgiven && { forgiven: change.forgiven }),
})
