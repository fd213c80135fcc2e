import { z } from 'zod'
import { parseJson } from '../domain/parse-json.ts'
import { refusal, type DaprAnswer, type Transport } from './transport.ts'

/** A complete CloudEvent in structured form; daprd makes no `id` of its own and leaves further attributes as they are. */
export interface PublishableEvent {
  readonly id: string
  readonly traceparent?: string | undefined
}

/** One event of a bulk publish, written out. */
export interface BulkEntry {
  readonly id: string
  readonly json: string
}

export interface FailedEntry {
  readonly id: string
  readonly error: string
}

const CLOUD_EVENT = 'application/cloudevents+json'

/** Events of one partition key keep their order. */
export function bulkEntry(event: PublishableEvent, partitionKey: string): BulkEntry {
  const entry = {
    entryId: event.id,
    event: withTraceId(event),
    contentType: CLOUD_EVENT,
    metadata: { partitionKey },
  }
  return { id: event.id, json: JSON.stringify(entry) }
}

const BulkFailure = z.object({
  failedEntries: z.array(z.object({ entryId: z.string(), error: z.string().default('') })).min(1),
})

/** Publish and bulk publish. A return means that the broker has the event. Source: Dapr Pub/Sub API reference. */
export function createPublish({ send }: Transport) {
  return {
    async publishEvent(
      pubsub: string,
      topic: string,
      event: PublishableEvent,
      { partitionKey }: { readonly partitionKey: string },
    ): Promise<void> {
      const operation = `publish ${topic}`
      const answer = await send({
        operation,
        method: 'POST',
        path: ['v1.0', 'publish', pubsub, topic],
        search: `?metadata.partitionKey=${encodeURIComponent(partitionKey)}`,
        headers: { 'content-type': CLOUD_EVENT },
        json: withTraceId(event),
      })
      if (!isTaken(answer)) throw refusal(operation, answer)
    },

    /**
     * Publishes events with different ids and returns those that the broker did not take, so an empty list is full
     * success. It is not atomic, and an event may be taken after one of the same key has failed.
     */
    async bulkPublish(pubsub: string, topic: string, entries: readonly BulkEntry[]): Promise<FailedEntry[]> {
      const operation = `bulk publish ${topic}`
      const answer = await send({
        operation,
        method: 'POST',
        path: ['v1.0', 'publish', 'bulk', pubsub, topic],
        headers: { 'content-type': 'application/json' },
        body: `[${entries.map(({ json }) => json).join(',')}]`,
      })
      if (isTaken(answer)) return []
      const failure = BulkFailure.safeParse(parseJson(answer.body.toString()))
      if (!failure.success) throw refusal(operation, answer)
      return failure.data.failedEntries.map(({ entryId, error }) => ({ id: entryId, error }))
    },
  }
}

/** The API promises 204 and nothing else for what the broker has. An empty 200 is what daprd says of an app, not of a broker. */
const isTaken = ({ status }: DaprAnswer): boolean => status === 204

// Without a traceid daprd replaces traceparent by its own span, and the trace of the request that caused the event ends.
function withTraceId(event: PublishableEvent): PublishableEvent & { readonly traceid?: string } {
  return event.traceparent === undefined ? event : { ...event, traceid: event.traceparent }
}
