import type { Sql, Transaction } from '../../../shared/db/connect.ts'
import { wakeBusOf } from '../wake.ts'

export interface NewMessage {
  readonly key: string | null
  /** Message headers, as Kafka keeps them: the metadata of the publish call. */
  readonly headers: Readonly<Record<string, string>>
  /** The CloudEvent as JSON text, or base64 of a raw payload. */
  readonly body: string
  readonly isRaw: boolean
}

export interface Message extends NewMessage {
  readonly offset: number
  readonly publishedAt: Date
}

export interface Topic {
  readonly id: number
  readonly pubsub: string
  readonly name: string
}

/** The log of messages in PostgreSQL: one per topic, with dense offsets in the order of commit. */
export interface Broker {
  topic(pubsub: string, name: string): Promise<Topic>
  /** Resolves when all messages are durable, rejects when none is. Calls at the same time may share one statement; their order is kept. */
  append(topic: Topic, messages: readonly NewMessage[], now: Date): Promise<void>
  read(topic: Topic, from: number, limit: number): Promise<Message[]>
  /** Wakes the consumers of a topic that something was appended to by other means. */
  announce(topicId: number | null): void
}

export const topicChannel = (topicId: number): string => `topic ${topicId}`

interface Pending {
  messages: readonly NewMessage[]
  now: Date
  resolve: () => void
  reject: (reason: unknown) => void
}

const MAX_BATCH = 500

export function createBroker(sql: Sql): Broker {
  const topics = new Map<string, Promise<Topic>>()
  const writers = new Map<number, (pending: Pending) => void>()

  return {
    topic(pubsub, name) {
      const id = `${pubsub}/${name}`
      const known = topics.get(id)
      if (known) return known
      const found = findTopic(sql, pubsub, name)
      topics.set(id, found)
      found.catch(() => topics.delete(id))
      return found
    },

    append(topic, messages, now) {
      const write = writers.get(topic.id) ?? createWriter(sql, topic)
      writers.set(topic.id, write)
      return new Promise((resolve, reject) => write({ messages, now, resolve, reject }))
    },

    async read(topic, from, limit) {
      // The limit is part of the text: PostgreSQL plans for a tenth of the table when it does not know it.
      const rows = await sql<MessageRow[]>`
        select message_offset, key, headers, body, is_raw, published_at from dapr.messages
        where topic_id = ${topic.id} and message_offset >= ${from} order by message_offset limit ${sql.unsafe(String(limit))}`
      return rows.map(toMessage)
    },

    announce(topicId) {
      if (topicId !== null) wakeBusOf(sql).notify(topicChannel(topicId))
    },
  }
}

async function findTopic(sql: Sql, pubsub: string, name: string): Promise<Topic> {
  const find = () =>
    sql<{ id: number }[]>`select id from dapr.topics where pubsub = ${pubsub} and name = ${name}`
  let [row] = await find()
  if (!row) {
    await sql`insert into dapr.topics (pubsub, name) values (${pubsub}, ${name}) on conflict do nothing`
    ;[row] = await find()
  }
  return { id: row!.id, pubsub, name }
}

// While one statement is under way the next calls gather, so a busy topic needs few commits.
function createWriter(sql: Sql, topic: Topic): (pending: Pending) => void {
  let waiting: Pending[] = []
  let writing = false

  async function write(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, howMany(waiting))
      try {
        await appendMessages(
          sql,
          topic.id,
          batch.flatMap(({ messages }) => messages),
          batch[0]!.now,
        )
        for (const { resolve } of batch) resolve()
        wakeBusOf(sql).notify(topicChannel(topic.id))
      } catch (error) {
        // What waits behind these must not overtake them.
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error)
      }
    }
    writing = false
  }

  return (pending) => {
    waiting.push(pending)
    if (!writing) void write()
  }
}

/** Calls that share a statement: the first, and those behind it that fit. */
function howMany(waiting: readonly Pending[]): number {
  let messages = 0
  const tooMany = waiting.findIndex((one, index) => {
    messages += one.messages.length
    return index > 0 && messages > MAX_BATCH
  })
  return tooMany === -1 ? waiting.length : tooMany
}

/**
 * Appends in one statement. It holds the topic's row until commit, so offsets become visible in order and a reader
 * that has seen one has seen all below it.
 */
export async function appendMessages(
  sql: Sql | Transaction,
  topicId: number,
  messages: readonly NewMessage[],
  now: Date,
): Promise<void> {
  const rows = messages.map(({ key, headers, body, isRaw }) => ({
    key,
    headers: JSON.stringify(headers),
    body,
    is_raw: isRaw,
  }))
  await sql`
    with topic as (
      update dapr.topics set next_offset = next_offset + ${rows.length} where id = ${topicId}
      returning next_offset - ${rows.length} as base
    )
    insert into dapr.messages (topic_id, message_offset, key, headers, body, is_raw, published_at)
    select ${topicId}, topic.base + m.position - 1, m.key, m.headers, m.body, m.is_raw, ${now}
    from topic, rows from (
      json_to_recordset(${JSON.stringify(rows)}::text::json) as (key text, headers text, body text, is_raw boolean)
    ) with ordinality as m (key, headers, body, is_raw, position)`
}

export interface MessageRow {
  message_offset: number
  key: string | null
  headers: string
  body: string
  is_raw: boolean
  published_at: Date
}

export function toMessage(row: MessageRow): Message {
  return {
    offset: row.message_offset,
    key: row.key,
    headers: JSON.parse(row.headers) as Record<string, string>,
    body: row.body,
    isRaw: row.is_raw,
    publishedAt: row.published_at,
  }
}
