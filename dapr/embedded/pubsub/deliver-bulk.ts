import { z } from 'zod'
import { discardBody, metadataHeaders } from '../app-channel.ts'
import type { Message, Topic } from './broker.ts'
import type { SidecarContext } from '../context.ts'
import { deliveryHeaders, prepare, withinTimeout, type Outcome, type Prepared } from './deliver.ts'
import { messageOf } from '../errors.ts'
import type { Subscription } from './subscriptions.ts'

const AppAnswer = z.object({
  statuses: z.array(z.object({ entryId: z.string(), status: z.string().default('') })).default([]),
})

const OUTCOMES: Record<string, Outcome> = { SUCCESS: 'done', DROP: 'drop' }

/**
 * Sends several messages to a `bulkSubscribe` route, one call for each path, and reads the answer of each: one that
 * is missing or unknown means retry (dapr/pkg/runtime/subscription/postman/http, DeliverBulk).
 */
export async function deliverBulk(
  context: SidecarContext,
  subscription: Subscription,
  topic: Topic,
  messages: readonly Message[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = messages.map(() => 'retry')
  const byPath = new Map<string, { index: number; prepared: Prepared }[]>()
  for (const [index, message] of messages.entries()) {
    const prepared = prepare(context, subscription, message)
    if (prepared === 'drop' || prepared === 'broken') outcomes[index] = prepared === 'drop' ? 'drop' : 'retry'
    else byPath.set(prepared.path, [...(byPath.get(prepared.path) ?? []), { index, prepared }])
  }
  for (const [path, entries] of byPath) {
    try {
      const response = await withinTimeout(context, subscription.pubsub, () =>
        context.app.call({
          method: 'POST',
          path,
          headers: { ...metadataHeaders({ pubsubName: topic.pubsub }), 'content-type': 'application/json' },
          body: JSON.stringify({
            id: context.newId(),
            type: 'com.dapr.event.sent.bulk',
            topic: topic.name,
            pubsubname: topic.pubsub,
            metadata: { pubsubName: topic.pubsub },
            entries: entries.map(({ index, prepared }) => ({
              entryId: String(index),
              event: subscription.isRaw ? prepared.event.data_base64 : prepared.event,
              metadata: deliveryHeaders(topic, messages[index]!),
              contentType: subscription.isRaw ? 'application/octet-stream' : 'application/cloudevents+json',
            })),
          }),
        }),
      )
      const answered = await readOutcomes(response)
      for (const { index } of entries) outcomes[index] = answered(index)
    } catch (error) {
      context.logger.warn({ topic: topic.name, reason: messageOf(error) }, 'failed to deliver bulk')
    }
  }
  return outcomes
}

async function readOutcomes(response: Response): Promise<(index: number) => Outcome> {
  if (!response.ok) {
    await discardBody(response)
    // A 404 acknowledges them all, without a dead letter.
    return () => (response.status === 404 ? 'done' : 'retry')
  }
  const { statuses } = AppAnswer.parse(await response.json())
  const byEntry = new Map(statuses.map(({ entryId, status }) => [entryId, OUTCOMES[status] ?? 'retry']))
  return (index) => byEntry.get(String(index)) ?? 'retry'
}
