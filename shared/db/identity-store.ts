import postgres from 'postgres'
import type { IdentityOutcome, IdentityStore } from '../app/identity-ports.ts'
import type { Actor } from '../app/ports.ts'
import type { Sql } from './connect.ts'
import {
  eventsRow,
  countFromRow,
  identityRows,
  sessionFromRow,
  userFromRow,
  userToRow,
} from './identity-rows.ts'
import type { CountRow, SessionRow, UserRow } from './identity-rows.ts'

/** SQLSTATEs that commit_identity raises (migration 0003). */
const REFUSALS: Record<string, IdentityOutcome> = { DB001: 'conflict', DB006: 'email_taken' }

export function createIdentityStore(sql: Sql): IdentityStore {
  return {
    async userOf(issuer, subject, { user, events }) {
      const newcomer = sql.json(userToRow({ ...user, passwordHash: null }) as never)
      const change = sql.json(eventsRow(user.id, user.createdAt, events) as never)
      const [row] = await sql<UserRow[]>`
        select id, email, time_zone, created_at from recognise_user(${issuer}, ${subject}, ${newcomer}, ${change})`
      return userFromRow(row!)
    },
    async findUser(userId) {
      const [row] = await sql<
        UserRow[]
      >`select id, email, time_zone, created_at from users where id = ${userId}`
      return row ? userFromRow(row) : null
    },
    async isEmailTaken(email) {
      const [row] = await sql`select 1 from users where email = ${email}`
      return row !== undefined
    },
    async loadLogin(email, keys, now) {
      const [row] = await sql<
        { account: (UserRow & { password_hash: string }) | null; counts: CountRow[] }[]
      >`
        select (select to_jsonb(u) from users u where email = ${email}) as account,
          coalesce((select jsonb_agg(c) from login_counts c where key = any(${[...keys]}) and resets_at > ${now}), '[]')
            as counts`
      return {
        user: row?.account ? userFromRow(row.account) : null,
        passwordHash: row?.account?.password_hash ?? null,
        counts: (row?.counts ?? []).map(countFromRow),
      }
    },
    async countUpTo(most, { key, resetsAt }, now) {
      // Reads first, so that a flood of refused attempts neither writes nor queues for the row.
      const [row] = await sql<{ resets_at: Date; spent: boolean }[]>`
        with spent as (
          select resets_at from login_counts where key = ${key} and resets_at > ${now} and count >= ${most}),
        counted as (
          insert into login_counts as c (key, count, resets_at)
            select ${key}, 1, ${resetsAt} where not exists (select from spent)
            on conflict (key) do update set
              count = case when c.resets_at <= ${now} then 1 else c.count + 1 end,
              resets_at = case when c.resets_at <= ${now} then excluded.resets_at else c.resets_at end
            returning resets_at, count > ${most} as is_spent)
        select resets_at, true as spent from spent union all select resets_at, is_spent from counted`
      return row?.spent ? row.resets_at : null
    },
    async loadSession(sessionId) {
      const [row] = await sql<{ session: SessionRow; account: UserRow }[]>`
        select to_jsonb(s) as session, to_jsonb(u) - 'password_hash' as account
        from sessions s join users u on u.id = s.user_id where s.id = ${sessionId}`
      return row ? { session: sessionFromRow(row.session), user: userFromRow(row.account) } : null
    },
    async takeTicket(digest, purpose, now) {
      const [row] = await sql<{ actor: Actor }[]>`
        delete from tickets where digest = ${digest} and purpose = ${purpose} and expires_at > ${now} returning actor`
      return row?.actor ?? null
    },
    async commit(change) {
      const rows = sql.json(identityRows(change) as never)
      const events = change.userId
        ? sql.json(eventsRow(change.userId, change.at, change.events) as never)
        : null
      try {
        await sql`select commit_identity(${rows}, ${events}::jsonb)`
        return 'applied'
      } catch (error) {
        const refusal = error instanceof postgres.PostgresError ? REFUSALS[error.code] : undefined
        if (refusal) return refusal
        throw error
      }
    },
    async signingKeys() {
      const rows = await sql<{ generation: number; kid: string; private_jwk: object; created_at: Date }[]>`
        select generation, kid, private_jwk, created_at from signing_keys order by generation desc`
      return rows.map((row) => ({
        ...{
          generation: row.generation,
          kid: row.kid,
          privateJwk: row.private_jwk,
          createdAt: row.created_at,
        },
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
  }
}
