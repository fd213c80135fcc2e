import type { AuditTree } from '../../app/audit/ports.ts'
import { EMPTY_TREE, type Tree } from '../../domain/audit/merkle.ts'
import type { ChainHead } from '../../domain/audit/chain.ts'
import type { Sql } from '../connect.ts'
import { inTransaction } from '../transaction.ts'

/** Of the advisory lock that whoever adds leaves holds. */
const GROWTH_LOCK = 7_246_004

interface HeadRow {
  user_id: string
  seq: number
  hash: Buffer
}

const headOf = ({ user_id: userId, seq, hash }: HeadRow): ChainHead => ({ userId, seq, hash })

export const createAuditTree = (sql: Sql): AuditTree => ({
  grow: (now, limit, sign) =>
    inTransaction(sql, async (tx) => {
      await tx`select pg_advisory_xact_lock(${GROWTH_LOCK})`
      const [last] = await tx<{ size: number; edge: Buffer[] }[]>`
        select size, edge from audit_checkpoints order by size desc limit 1`
      const rows = await tx<HeadRow[]>`
        select user_id, seq, hash from audit_chains c
        where seq > coalesce((select max(t.seq) from audit_tree t where t.user_id = c.user_id), 0) order by user_id limit ${limit}`
      if (rows.length === 0) return 0
      const before: Tree = last ? { size: last.size, edge: last.edge } : EMPTY_TREE
      const { tree, note } = sign(before, rows.map(headOf))
      await tx`
        insert into audit_tree (index, user_id, seq, hash)
        select ${before.size} + place - 1, user_id, seq, decode(hash, 'hex')
        from unnest(${rows.map((row) => row.user_id)}::uuid[], ${rows.map((row) => row.seq)}::bigint[],
          ${rows.map((row) => row.hash.toString('hex'))}::text[]) with ordinality heads (user_id, seq, hash, place)`
      await tx`
        insert into audit_checkpoints (size, edge, note, signed_at)
        select ${tree.size}, array(select decode(hash, 'hex') from unnest(${tree.edge.map((hash) => hash.toString('hex'))}::text[])
          with ordinality edge (hash, place) order by place), ${note}, ${now}`
      return rows.length
    }),

  async pending() {
    const rows = await sql<{ size: number; note: string; signed_at: Date }[]>`
      select size, note, signed_at from audit_checkpoints where announced_at is null order by size limit 100`
    return rows.map(({ size, note, signed_at: signedAt }) => ({ size, note, signedAt }))
  },

  async markAnnounced(size, now) {
    await sql`update audit_checkpoints set announced_at = ${now} where size = ${size}`
  },

  async lastNote() {
    const [row] = await sql<{ note: string }[]>`
      select note from audit_checkpoints order by size desc limit 1`
    return row?.note ?? null
  },

  notes: (after, limit) => sql<{ size: number; note: string }[]>`
    select size, note from audit_checkpoints where size > ${after} order by size limit ${limit}`,

  async leaves(from, limit) {
    const rows = await sql<(HeadRow & { index: number })[]>`
      select index, user_id, seq, hash from audit_tree where index >= ${from} order by index limit ${limit}`
    return rows.map(headOf)
  },
})
