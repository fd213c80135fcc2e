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
  /** Adds to `refused` what was not accepted. A batch that the sidecar finds malformed is halved until the culprit is alone. */
  const publish = async (topic: string, batch: Entry[], refused: Map<string, Entry>): Promise<void> => {
    const users = new Set([...refused.values()].map(({ userId }) => userId))
    const entries = batch.filter(({ userId }) => !users.has(userId))
    if (entries.length === 0) return
    try {
      const failed = await dapr.bulkPublish(pubsub, topic, entries)
      if (failed[0])
        log.warn(
          { topic, refused: failed.length, reason: failed[0].error },
          'failed to publish events: broker refused them',
        )
      for (const { id } of failed)
        refused.set(
          id,
          entries.find((entry) => entry.id === id)!,
        )
    } catch (error) {
      if (!isMalformed(error)) throw error
      const [first] = entries
      if (first && entries.length === 1) {
        log.error({ topic, event_id: first.id, err: error }, 'failed to publish event: sidecar refused it')
        refused.set(first.id, first)
        return
      }
      const middle = Math.ceil(entries.length / 2)
      await publish(topic, entries.slice(0, middle), refused)
      await publish(topic, entries.slice(middle), refused)
    }
  }
  return {
    eventsPerUser,
    publishAll: async (topic, events) => {
      const refused = new Map<string, Entry>()
      const entries = events.map((event) => ({ ...bulkEntry(event, event.userid), userId: event.userid }))
      for (const batch of batchesOf(entries)) await publish(topic, batch, refused)
      return new Set(refused.keys())
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
