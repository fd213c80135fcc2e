import type { Broker } from '../app/outbox/ports.ts'
import type { Log } from '../app/ports.ts'
import type { DaprClient } from './client.ts'
import { DaprError } from './dapr-error.ts'
import { bulkEntry, type BulkEntry } from './publish.ts'

/** Below the 4 MiB that daprd reads of a body by default (--max-body-size), with room for the entries' frames. */
const MAX_BYTES = 3 * 1024 * 1024

/** Bulk publishing to one pub/sub component; the partition key is the user id. */
export function createBroker(dapr: Pick<DaprClient, 'bulkPublish'>, pubsub: string, log: Log): Broker {
  /** Ids that were not accepted. A batch that the sidecar finds malformed is halved until the culprit is alone. */
  const publish = async (topic: string, entries: BulkEntry[]): Promise<string[]> => {
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
      return [
        ...(await publish(topic, entries.slice(0, middle))),
        ...(await publish(topic, entries.slice(middle))),
      ]
    }
  }
  return {
    publishAll: async (topic, events) => {
      const refused: string[] = []
      const entries = events.map((event) => bulkEntry(event, event.userid))
      for (const batch of batchesOf(entries)) refused.push(...(await publish(topic, batch)))
      return new Set(refused)
    },
  }
}

/** 400 and 413 speak of what was sent; every other refusal speaks of the sidecar and concerns all events alike. */
const isMalformed = (error: unknown): boolean =>
  error instanceof DaprError && (error.status === 400 || error.status === 413)

function batchesOf(entries: BulkEntry[]): BulkEntry[][] {
  const batches: BulkEntry[][] = []
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
