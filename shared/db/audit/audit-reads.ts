import type { AuditTrail, FullEntry } from '../../app/audit/ports.ts'
import { emptyChain, type ChainedEntry } from '../../domain/audit/chain.ts'
import type { Sql } from '../connect.ts'

interface EntryRow {
  user_id: string
  seq: number
  at: Date
  action: string | null
  resource: string
  body: string
  salt: Buffer
  leaf: Buffer
  hash: Buffer
}

const entryOf = ({
  user_id: userId,
  seq,
  at,
  action,
  resource,
  body,
  salt,
  leaf,
  hash,
}: EntryRow): ChainedEntry => ({
  userId,
  seq,
  at,
  content: action === null ? null : { action, resource, body, salt },
  leaf,
  hash,
})

export const auditReads = (sql: Sql): Pick<AuditTrail, 'list' | 'after' | 'chain' | 'users'> => ({
  async list(userId, { actions, resource, since, until, before, limit }) {
    const rows = await sql<EntryRow[]>`
      select * from audit_entries where user_id = ${userId} and body is not null
        ${actions ? sql`and action = any(${[...actions]}::text[])` : sql``}
        ${resource === null ? sql`` : sql`and resource = ${resource}`}
        ${since ? sql`and at >= ${since}` : sql``} ${until ? sql`and at < ${until}` : sql``}
        ${before ? sql`and (at, seq) < (${before.at}::timestamptz, ${before.seq}::bigint)` : sql``}
      order by at desc, seq desc limit ${limit + 1}`
    const items = rows.slice(0, limit).map(entryOf) as FullEntry[]
    return { items, hasMore: rows.length > limit }
  },

  async after(userId, seq, limit) {
    const rows = await sql<EntryRow[]>`
      select * from audit_entries where user_id = ${userId} and seq > ${seq} order by seq limit ${limit}`
    return rows.map(entryOf)
  },

  async chain(userId) {
    const [row] = await sql<
      {
        seq: number | null
        hash: Buffer
        anchor_seq: number
        anchor_hash: Buffer
        is_deleted: boolean
        signed: { seq: number; hash: string }[] | null
      }[]
    >`
      select c.*, exists (select from deleted_accounts d where d.user_id = u.id) as is_deleted,
        (select json_agg(json_build_object('seq', seq, 'hash', encode(hash, 'hex')) order by seq)
          from audit_tree t where t.user_id = u.id) as signed
      from (select ${userId}::uuid as id) u left join audit_chains c on c.user_id = u.id`
    const { seq, hash, anchor_seq, anchor_hash, is_deleted: isDeleted, signed } = row!
    if (seq === null && !signed) return null
    const empty = emptyChain(userId)
    return {
      head: seq === null ? empty : { userId, seq, hash },
      anchor: seq === null ? empty : { userId, seq: anchor_seq, hash: anchor_hash },
      isDeleted,
      signed: new Map((signed ?? []).map((leaf) => [leaf.seq, Buffer.from(leaf.hash, 'hex')])),
    }
  },

  async users(after, limit) {
    const rows = await sql<{ user_id: string }[]>`
      select user_id from (
        select user_id from audit_chains union select user_id from audit_entries union select user_id from audit_tree) known
      where ${after}::uuid is null or user_id > ${after}::uuid order by user_id limit ${limit}`
    return rows.map((row) => row.user_id)
  },
})
