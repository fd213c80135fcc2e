import type { Sql, Transaction } from '../../../shared/db/connect.ts'
import { appendMessages, toMessage, type Message, type MessageRow, type NewMessage } from './broker.ts'

/** A consumer group's place on a topic, and who may move it. */
export interface GroupTopic {
  readonly appId: string
  readonly topicId: number
  readonly owner: string
}

export interface ParkedMessage {
  readonly offset: number
  readonly lane: string
  readonly failures: number
  readonly retryAt: Date | null
}

export interface ParkedLane {
  readonly lane: string
  readonly count: number
  readonly retryAt: Date
}

/** What one write to the database settles, all of it or nothing. */
export interface Progress {
  readonly nextOffset: number
  readonly parked: readonly ParkedMessage[]
  readonly finished: readonly number[]
  readonly deadLetters: readonly NewMessage[]
  readonly deadLetterTopicId: number | null
}

export const LEASE_SECONDS = 15

/** Makes this sidecar the one that delivers, from whoever it was before: as a rebalance, the newest member wins. */
export async function takeOver(
  sql: Sql,
  group: GroupTopic,
  now: Date,
): Promise<{ nextOffset: number; lanes: ParkedLane[] }> {
  const [row] = await sql<{ next_offset: number }[]>`
    insert into dapr.consumers (app_id, topic_id, owner, lease_until)
    values (${group.appId}, ${group.topicId}, ${group.owner}, now() + make_interval(secs => ${LEASE_SECONDS}))
    on conflict (app_id, topic_id) do update set owner = excluded.owner, lease_until = excluded.lease_until
    returning next_offset`
  const lanes = await sql<{ lane: string; count: number; retry_at: Date | null }[]>`
    select lane, count(*)::int as count, min(retry_at) as retry_at from dapr.parked
    where app_id = ${group.appId} and topic_id = ${group.topicId} group by lane`
  return {
    nextOffset: row!.next_offset,
    lanes: lanes.map(({ lane, count, retry_at }) => ({ lane, count, retryAt: retry_at ?? now })),
  }
}

/** False when another sidecar has taken over: then nothing was written. */
export async function saveProgress(
  sql: Sql,
  group: GroupTopic,
  progress: Progress,
  now: Date,
): Promise<boolean> {
  const isPlain = progress.parked.length + progress.finished.length + progress.deadLetters.length === 0
  if (isPlain) return await moveOn(sql, group, progress.nextOffset)
  return await sql.begin(async (tx) => {
    if (!(await moveOn(tx, group, progress.nextOffset))) return false
    if (progress.parked.length > 0) await park(tx, group, progress.parked)
    if (progress.finished.length > 0) {
      await tx`
        delete from dapr.parked where app_id = ${group.appId} and topic_id = ${group.topicId}
        and message_offset = any(${progress.finished as number[]}::bigint[])`
    }
    if (progress.deadLetterTopicId !== null && progress.deadLetters.length > 0) {
      await appendMessages(tx, progress.deadLetterTopicId, progress.deadLetters, now)
    }
    return true
  })
}

async function moveOn(
  sql: Sql | Transaction,
  { appId, topicId, owner }: GroupTopic,
  nextOffset: number,
): Promise<boolean> {
  const { count } = await sql`
    update dapr.consumers
    set next_offset = ${nextOffset}, lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where app_id = ${appId} and topic_id = ${topicId} and owner = ${owner}`
  return count === 1
}

async function park(
  tx: Transaction,
  { appId, topicId }: GroupTopic,
  parked: readonly ParkedMessage[],
): Promise<void> {
  const rows = parked.map(({ offset, lane, failures, retryAt }) => ({
    offset,
    lane,
    failures,
    retry_at: retryAt,
  }))
  await tx`
    insert into dapr.parked (app_id, topic_id, message_offset, lane, failures, retry_at)
    select ${appId}, ${topicId}, p.offset, p.lane, p.failures, p.retry_at
    from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as p ("offset" bigint, lane text, failures int, retry_at timestamptz)
    on conflict (app_id, topic_id, message_offset)
    do update set failures = excluded.failures, retry_at = excluded.retry_at`
}

/** The oldest parked messages of a lane, with the number of failed tries of each. */
export async function readParked(
  sql: Sql,
  { appId, topicId }: GroupTopic,
  lane: string,
  limit: number,
): Promise<{ message: Message; failures: number }[]> {
  const rows = await sql<(MessageRow & { failures: number })[]>`
    select p.failures, m.message_offset, m.key, m.headers, m.body, m.is_raw, m.published_at
    from dapr.parked p join dapr.messages m using (topic_id, message_offset)
    where p.app_id = ${appId} and p.topic_id = ${topicId} and p.lane = ${lane}
    order by p.message_offset limit ${limit}`
  return rows.map((row) => ({ message: toMessage(row), failures: row.failures }))
}

export async function release(sql: Sql, { appId, topicId, owner }: GroupTopic): Promise<void> {
  await sql`
    update dapr.consumers set owner = null, lease_until = null
    where app_id = ${appId} and topic_id = ${topicId} and owner = ${owner}`
}

export interface Standing {
  readonly topicId: number
  readonly isOurs: boolean
  readonly hasNoOwner: boolean
}

/** Who delivers the topics of these groups, which belong to one app. */
export async function standings(sql: Sql, groups: readonly GroupTopic[]): Promise<Standing[]> {
  if (groups.length === 0) return []
  const rows = await sql<{ topic_id: number; owner: string | null; is_leased: boolean | null }[]>`
    select topic_id, owner, lease_until > now() as is_leased from dapr.consumers where app_id = ${groups[0]!.appId}`
  return rows.map(({ topic_id, owner, is_leased }) => ({
    topicId: topic_id,
    isOurs: groups.some((group) => group.topicId === topic_id && group.owner === owner),
    hasNoOwner: owner === null || is_leased !== true,
  }))
}

export async function renew(sql: Sql, groups: readonly GroupTopic[]): Promise<void> {
  if (groups.length === 0) return
  await sql`
    update dapr.consumers set lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where app_id = ${groups[0]!.appId} and owner in ${sql(groups.map(({ owner }) => owner))}`
}
