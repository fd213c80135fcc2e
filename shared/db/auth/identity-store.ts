import postgres from 'postgres'
import type { IdentityChange, IdentityOutcome, IdentityStore } from '../../app/auth/ports.ts'
import type { Actor } from '../../app/ports.ts'
import type { Sql } from '../connect.ts'
import type { EventDraft } from '../../domain/draft-event.ts'
import { MINUTE_MS } from '../../domain/durations.ts'
import { changeRow } from '../changes/change-row.ts'
import {
  apiTokens,
  countFromRow,
  identityRows,
  sessionFromRow,
  userFromRow,
  userToRow,
} from './identity-rows.ts'
import type { ApiTokenRow, CountRow, SessionRow, UserRow } from './identity-rows.ts'

const ACCOUNT_DELETED = 'DB009'
/** How old what is told of the last use of an API token may be, so that not every request writes. */
const TOLD_AGAIN_MS = 5 * MINUTE_MS
/** SQLSTATEs that commit_identity raises. */
const SQLSTATE_OUTCOMES: Record<string, IdentityOutcome> = {
  DB001: 'conflict',
  DB006: 'email_taken',
  DB008: 'not_invited',
  DB010: 'name_taken',
  DB011: 'too_many',
  [ACCOUNT_DELETED]: 'conflict', // by another request
}

export function createIdentityStore(sql: Sql): IdentityStore {
  const account = sql`id, email, time_zone, created_at, email_confirmed_at, confirmation_sent_at, display_name, new_email,
    new_email_at, version`
  return {
    async userOf(issuer, subject, { user, issuedAt, tellsEmail, events }) {
      const newcomer = sql.json(userToRow({ ...user, passwordHash: null }) as never)
      const change = sql.json(changeOf({ userId: user.id, at: user.createdAt, events }) as never)
      try {
        const [row] = await sql<UserRow[]>`
          select ${account} from recognise_user(${issuer}, ${subject}, ${issuedAt}, ${newcomer}, ${tellsEmail}, ${change})`
        return userFromRow(row!)
      } catch (error) {
        if (error instanceof postgres.PostgresError && error.code === ACCOUNT_DELETED) return null
        throw error
      }
    },
    async findUser(userId) {
      const [row] = await sql<UserRow[]>`select ${account} from users where id = ${userId}`
      return row ? userFromRow(row) : null
    },
    async isEmailTaken(email) {
      const [row] = await sql`select 1 from users where email = ${email} and password_hash is not null`
      return row !== undefined
    },
    async addInvitation({ digest, email, createdAt, expiresAt }) {
      await sql`insert into invitations (digest, email, created_at, expires_at)
        values (${digest}, ${email}, ${createdAt}, ${expiresAt})`
    },
    async isInvited(digest, email, now) {
      const [row] = await sql`select 1 from invitations
        where digest = ${digest} and expires_at > ${now} and (email is null or email = ${email})`
      return row !== undefined
    },
    async loadLogin({ email, userId = null }, keys, now) {
      const [row] = await sql<
        { account: (UserRow & { password_hash: string }) | null; counts: CountRow[] }[]
      >`
        select (select to_jsonb(u) from users u where email = ${email} and password_hash is not null
            and id = coalesce(${userId}, id)) as account,
          coalesce((select jsonb_agg(c) from login_counts c where key = any(${[...keys]}) and resets_at > ${now}), '[]')
            as counts`
      return {
        user: row?.account ? userFromRow(row.account) : null,
        passwordHash: row?.account?.password_hash ?? null,
        counts: (row?.counts ?? []).map(countFromRow),
      }
    },
    async countUpTo(most, { key, resetsAt, userId = null }, now) {
      // Reads first, so that a flood of refused attempts neither writes nor queues for the row.
      const [row] = await sql<{ resets_at: Date; spent: boolean }[]>`
        with spent as (
          select resets_at from login_counts where key = ${key} and resets_at > ${now} and count >= ${most}),
        counted as (
          insert into login_counts as c (key, count, resets_at, user_id)
            select ${key}, 1, ${resetsAt}, ${userId}::uuid where not exists (select from spent)
            on conflict (key) do update set
              count = case when c.resets_at <= ${now} then 1 else c.count + 1 end,
              resets_at = case when c.resets_at <= ${now} then excluded.resets_at else c.resets_at end,
              user_id = coalesce(excluded.user_id, c.user_id)
            returning resets_at, count > ${most} as is_spent)
        select resets_at, true as spent from spent union all select resets_at, is_spent from counted`
      return row?.spent ? row.resets_at : null
    },
    async spentUntil(most, key, now) {
      const [row] = await sql<{ resets_at: Date }[]>`
        select resets_at from login_counts where key = ${key} and resets_at > ${now} and count >= ${most}`
      return row?.resets_at ?? null
    },
    async uncount(key) {
      await sql`update login_counts set count = count - 1 where key = ${key} and count > 0`
    },
    async addReset(digest, { userId, email, askedAt, expiresAt }) {
      // Waits for whoever is setting the password, or has them wait, who then find the row.
      const { count } = await sql`insert into password_resets (digest, user_id, expires_at)
        select ${digest}, id, ${expiresAt}::timestamptz from users
        where id = ${userId} and email = ${email} and coalesce(resets_void_at < ${askedAt}, true) for share`
      return count > 0
    },
    async findReset(digest, now) {
      const [row] = await sql<{ account: UserRow & { password_hash: string }; is_used: boolean }[]>`
        select to_jsonb(u) as account, r.used_at is not null as is_used
        from password_resets r join users u on u.id = r.user_id and u.password_hash is not null
        where r.digest = ${digest} and r.expires_at > ${now}`
      if (!row) return null
      return { user: userFromRow(row.account), passwordHash: row.account.password_hash, isUsed: row.is_used }
    },
    async loadSession(sessionId) {
      const [row] = await sql<{ session: SessionRow; account: UserRow }[]>`
        select to_jsonb(s) as session, to_jsonb(u) - 'password_hash' as account
        from sessions s join users u on u.id = s.user_id where s.id = ${sessionId}`
      return row ? { session: sessionFromRow(row.session), user: userFromRow(row.account) } : null
    },
    async listSessions(userId, now, limit) {
      const rows = await sql<SessionRow[]>`
        select * from sessions where user_id = ${userId} and revoked_at is null and expires_at > ${now}
        order by coalesce(rotated_at, created_at) desc, id desc limit ${limit}`
      return rows.map(sessionFromRow)
    },
    async openSessions(ids, now) {
      const rows = await sql<{ id: string }[]>`
        select id from sessions where id = any(${[...ids]}::uuid[]) and revoked_at is null and expires_at > ${now}
        union all select id from api_tokens where id = any(${[...ids]}::uuid[]) and expires_at > ${now}
        union all select id from users where id = any(${[...ids]}::uuid[])`
      return new Set(rows.map(({ id }) => id))
    },
    async useApiToken(digest, now) {
      const [row] = await sql<(ApiTokenRow & { time_zone: string })[]>`
        with found as (
          select t.*, u.time_zone from api_tokens t join users u on u.id = t.user_id
          where digest = ${digest} and expires_at > ${now}),
        used as (
          update api_tokens set last_used_at = ${now} where id in (
            select id from found where coalesce(last_used_at < ${new Date(now.getTime() - TOLD_AGAIN_MS)}, true)))
        select * from found`
      return row ? { ...apiTokens.fromRow(row), timeZone: row.time_zone } : null
    },
    async listApiTokens(userId, now) {
      const rows = await sql<ApiTokenRow[]>`
        select * from api_tokens where user_id = ${userId} and expires_at > ${now} order by created_at desc, id desc`
      return rows.map(apiTokens.fromRow)
    },
    async findTicket(digest, purpose, now) {
      const [row] = await sql<{ actor: Actor }[]>`
        select actor from tickets where digest = ${digest} and purpose = ${purpose} and expires_at > ${now}`
      return row?.actor ?? null
    },
    async takeTicket(digest, purpose, now) {
      const [row] = await sql<{ actor: Actor }[]>`
        delete from tickets where digest = ${digest} and purpose = ${purpose} and expires_at > ${now} returning actor`
      return row?.actor ?? null
    },
    async commit(change) {
      const rows = sql.json(identityRows(change) as never)
      const events =
        change.userId && (change.events.length > 0 || change.mails)
          ? sql.json(changeOf({ ...change, userId: change.userId }) as never)
          : null
      try {
        await sql`select commit_identity(${rows}, ${events}::jsonb)`
        return 'applied'
      } catch (error) {
        const outcome = error instanceof postgres.PostgresError ? SQLSTATE_OUTCOMES[error.code] : undefined
        if (outcome) return outcome
        throw error
      }
    },
    async signingKeys() {
      const rows = await sql<{ generation: number; kid: string; private_jwk: object; created_at: Date }[]>`
        select generation, kid, private_jwk, created_at from signing_keys order by generation desc`
      return rows.map((row) => ({
        generation: row.generation,
        kid: row.kid,
        privateJwk: row.private_jwk,
        createdAt: row.created_at,
      }))
    },
    async addSigningKey(key, replacedBefore) {
      await sql`
        with forgotten as (
          delete from signing_keys k using signing_keys successor
          where successor.generation = k.generation + 1 and successor.created_at < ${replacedBefore})
        insert into signing_keys (generation, kid, private_jwk, created_at)
        values (${key.generation}, ${key.kid}, ${sql.json(key.privateJwk as never)}, ${key.createdAt})
        on conflict (generation) do nothing`
    },
    async linkKey(offered, now) {
      await sql`insert into link_keys (key, created_at) values (${offered}, ${now}) on conflict do nothing`
      const [row] = await sql<{ key: string }[]>`select key from link_keys`
      return row!.key
    },
  }
}

/** The `change` of commit_change: events, and mails, which the app does not show; no tasks. */
function changeOf({
  userId,
  at,
  events,
  mails = { newNotifications: [], newDeliveries: [] },
  movedZone,
  preferences,
}: { userId: string; at: Date; events: EventDraft[] } & Pick<
  IdentityChange,
  'mails' | 'movedZone' | 'preferences'
>): object {
  const newNotifications = mails.newNotifications.map(({ notification }) => ({ notification, fact: null }))
  const change = { userId, at, activeDelta: 0, completedDelta: 0, events, ...mails, newNotifications }
  return changeRow({ ...change, ...(movedZone && { movedZone }), ...(preferences && { preferences }) })
}
