import type { Broker } from '../app/outbox/ports.ts'
import type { Log } from '../app/ports.ts'
import type { DaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'
import { bulkEntry, type BulkEntry } from './publish.ts'

/** Below the 4 MiB that daprd reads of a body by default (--max-body-size), with room for the entries' frames. */
const MAX_BYTES = 3 * 1024 * 1024

type Entry = BulkEntry & { userId: string }

/**
 * Bulk publishing to one pub/sub component; the partition key is the user id. Kafka's component of Dapr sends the events of
 * a call in several requests at a time and may take later ones when it refuses earlier ones, hence one of each user.
 */
export function createBroker(
  dapr: Pick<DaprClient, 'bulkPublish'>,
  pubsub: string,
  log: Log,
  eventsPerUser = 1,
): Broker {
  /** Ids that were not accepted. A batch that the sidecar finds malformed is halved until the culprit is alone. */
  const publish = async (topic: string, entries: Entry[]): Promise<string[]> => {
    try {
      const failed = await dapr.bulkPublish(pubsub, topic, entries)
      if (failed[0])
        log.warn(
          { topic, refused: failed.length, reason: failed[0].error },
          'failed to publish events: broker refused them',
        )
      return failed.map(({ id }) => id)
    } catch (error) {
      if (!isMalformed(error)) throw error
      const [first] = entries
      if (first && entries.length === 1) {
        log.error({ topic, event_id: first.id, err: error }, 'failed to publish event: sidecar refused it')
        return [first.id]
      }
      const middle = Math.ceil(entries.length / 2)
      return await publishParts(topic, [entries.slice(0, middle), entries.slice(middle)])
    }
  }
  /** Part after part; of a user nothing is sent behind what was refused, which is refused with it. */
  const publishParts = async (topic: string, parts: readonly Entry[][]): Promise<string[]> => {
    const refused: string[] = []
    const stopped = new Set<string>()
    for (const part of parts) {
      const [behind, next] = [true, false].map((isBehind) =>
        part.filter(({ userId }) => stopped.has(userId) === isBehind),
      ) as [Entry[], Entry[]]
      const ids = new Set(next.length > 0 ? await publish(topic, next) : [])
      for (const { id, userId } of next) if (ids.has(id)) stopped.add(userId)
      refused.push(...behind.map(({ id }) => id), ...ids)
    }
    return refused
  }
  return {
    eventsPerUser,
    publishAll: async (topic, events) => {
      const entries = events.map((event) => ({ ...bulkEntry(event, event.userid), userId: event.userid }))
      return new Set(await publishParts(topic, batchesOf(entries)))
    },
  }
}

/** 400 and 413 speak of what was sent; every other refusal speaks of the sidecar and concerns all events alike. */
const isMalformed = (error: unknown): boolean =>
  error instanceof DaprError && (error.status === 400 || error.status === 413)

function batchesOf(entries: Entry[]): Entry[][] {
  const batches: Entry[][] = []
  let room = 0
  for (const entry of entries) {
    const bytes = Buffer.byteLength(entry.json)
    if (bytes > room) {
      batches.push([])
      room = MAX_BYTES
    }
    batches.at(-1)!.push(entry)
    room -= bytes
  }
  return batches
}
