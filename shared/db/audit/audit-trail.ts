import type { AuditTrail } from '../../app/audit/ports.ts'
import { emptyChain, type ChainedEntry, type ChainHead } from '../../domain/audit/chain.ts'
import { LOG_USER } from '../../domain/events.ts'
import { auditReads } from './audit-reads.ts'
import { inGroups } from '../changes/commit-groups.ts'
import type { Sql } from '../connect.ts'
import { recordedEvent, type EventRow } from '../outbox/outbox.ts'

/** Of one user at a time: with as many of others, hashed within some milliseconds. */
const MAX_EVENTS = 50
const MAX_BYTES = 256 * 1024

type Decide = Parameters<AuditTrail['extend']>[1]

interface Extension {
  userId: string
  decide: Decide
}

export function createAuditTrail(sql: Sql): AuditTrail {
  const extend = inGroups<Extension, boolean>({
    keyOf: ({ userId }) => userId,
    sizeOf: () => 1,
    run: (extensions) => extendChains(sql, extensions),
  })
  return {
    ...auditReads(sql),
    extend: (userId, decide) => extend({ userId, decide }),
    behind: async (after, limit) => {
      const rows = await sql<{ user_id: string }[]>`
        select user_id from (
          select user_id, last_seq from user_counters union all select user_id, last_seq from deleted_accounts) c
        left join audit_chains a using (user_id)
        where last_seq > coalesce(a.seq, 0)
          and exists (select from events e where e.user_id = c.user_id and e.seq > coalesce(a.seq, 0)) and user_id <> ${LOG_USER} and (${after}::uuid is null or user_id > ${after}::uuid)
        group by user_id order by user_id limit ${limit}`
      return rows.map((row) => row.user_id)
    },
    prune: (olderThan, limit) => prune(sql, olderThan, limit),
  }
}

async function extendChains(sql: Sql, extensions: readonly Extension[]): Promise<boolean[]> {
  const deciders = new Map(extensions.map(({ userId, decide }) => [userId, decide]))
  const rows = await sql<
    ({ owner: string; last: number; head_seq: number | null; head_hash: Buffer } & (
      EventRow | { seq: null }
    ))[]
  >`
    select w.id as owner, c.seq as head_seq, c.hash as head_hash, e.*, coalesce(
      (select last_seq from user_counters where user_id = w.id order by turn desc limit 1), 0) as last
    from unnest(${[...deciders.keys()]}::uuid[]) w (id)
    left join audit_chains c on c.user_id = w.id
    left join lateral events_after(w.id, coalesce(c.seq, 0), ${MAX_EVENTS}, ${MAX_BYTES}) e on true`
  const known = rows.filter((row) => row.seq !== null)
  const longer = [...Map.groupBy(known, ({ owner }) => owner)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const links = longer.map(([userId, [first, ...others]]) => {
    const { head_seq: seq, head_hash: hash } = first!
    const head: ChainHead = seq === null ? emptyChain(userId) : { userId, seq, hash }
    const events = [first!, ...others].map(recordedEvent).toSorted((a, b) => a.sequence - b.sequence)
    const entries = deciders.get(userId)!(head, events)
    return { head, entries, isAll: first!.last <= entries.at(-1)!.seq }
  })
  const appended = links.length > 0 ? await append(sql, links) : new Set()
  const unfinished = new Set(
    links.flatMap(({ head: { userId }, isAll }) => (isAll && appended.has(userId) ? [] : [userId])),
  )
  return extensions.map(({ userId }) => unfinished.has(userId))
}

/** Extends chains that still have the head that was read, and resolves to whose they are; somebody else has extended the others. */
async function append(
  sql: Sql,
  links: readonly { head: ChainHead; entries: readonly ChainedEntry[] }[],
): Promise<Set<string>> {
  const heads = links.map(({ head, entries }) => {
    const last = entries.at(-1)!
    return { user_id: head.userId, seq: last.seq, hash: hex(last.hash), before: hex(head.hash) }
  })
  const entries = links.flatMap((link) => link.entries).map(entryRow)
  const rows = await sql<{ user_id: string }[]>`
    with moved as (
      insert into audit_chains as c (user_id, seq, hash, anchor_hash)
      select * from json_to_recordset(${JSON.stringify(heads)}::text::json) h (user_id uuid, seq bigint, hash bytea, before bytea)
      on conflict (user_id) do update set seq = excluded.seq, hash = excluded.hash where c.hash = excluded.anchor_hash
      returning user_id),
    appended as (insert into audit_entries (user_id, seq, at, action, resource, body, salt, leaf, hash)
    select e.* from json_to_recordset(${JSON.stringify(entries)}::text::json) e (
      user_id uuid, seq bigint, at timestamptz, action text, resource text, body text, salt bytea, leaf bytea, hash bytea)
      join moved using (user_id))
    select user_id from moved`
  return new Set(rows.map((row) => row.user_id))
}

const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

const entryRow = ({ userId, seq, at, content, leaf, hash }: ChainedEntry) => ({
  user_id: userId,
  seq,
  at,
  ...content,
  salt: content && hex(content.salt),
  leaf: hex(leaf),
  hash: hex(hash),
})

/**
 * What a checkpoint holds was there when it was signed, so all up to it is older. Leaves are gone through in the order of the tree;
 * the entry of each takes the place of the beginning of its chain.
 */
async function prune(sql: Sql, olderThan: Date, limit: number): Promise<number> {
  const [row] = await sql<{ leaves: number }[]>`
    with place as (select pruned from audit_retention for update skip locked),
    leaves as (
      select t.* from place, audit_tree t where index >= pruned and index < pruned + ${limit}
        and index < (select max(size) from audit_checkpoints where signed_at < ${olderThan})),
    ends as (select distinct on (user_id) user_id, seq, hash from leaves order by user_id, seq desc),
    moved as (
      update audit_chains c set anchor_seq = ends.seq, anchor_hash = ends.hash from ends
      where c.user_id = ends.user_id and c.anchor_seq < ends.seq returning c.user_id, c.anchor_seq),
    removed as (
      delete from audit_entries e using moved where e.user_id = moved.user_id and e.seq <= moved.anchor_seq),
    passed as (update audit_retention set pruned = pruned + (select count(*) from leaves))
    select count(*)::int as leaves from leaves`
  return row!.leaves
}
