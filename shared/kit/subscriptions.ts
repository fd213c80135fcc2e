import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { CloudEvent } from '../domain/cloud-event.ts'
import { PermanentError } from '../domain/errors.ts'
import { definitionOf } from '../domain/events.ts'
import type { AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'
import type { TopicFunction } from './topic-function.ts'

export const PUBSUB = 'pubsub'
export const DEAD_LETTER_TOPIC = 'dlq-events'
type DaprStatus = 'SUCCESS' | 'RETRY'

/**
 * Serves the topic functions of a process. Dapr keeps one subscription per topic and app-id and drops the earlier of
 * two without a word, so all functions of a topic share one route; a message is done when every one of them is.
 */
export function mountTopics(app: Hono<AppEnv>, functions: readonly TopicFunction[], deps: Deps): void {
  const topics = [...new Set(functions.flatMap((fn) => fn.topics))]
  const guard = sidecarOnly(deps)
  app.get('/dapr/subscribe', guard, (c) =>
    c.json(
      topics.map((topic) => ({
        ...{ pubsubname: PUBSUB, topic, route: `/dapr/events/${topic}`, deadLetterTopic: DEAD_LETTER_TOPIC },
      })),
    ),
  )
  app.get('/dapr/config', guard, (c) => c.json({}))
  for (const topic of topics) {
    app.post(`/dapr/events/${topic}`, guard, async (c) => {
      const status = await deliverToAll(await c.req.text(), functions, deps)
      return c.json({ status })
    })
  }
}

async function deliverToAll(
  raw: string,
  functions: readonly TopicFunction[],
  deps: Deps,
): Promise<DaprStatus> {
  const read = readEvent(raw)
  if ('reason' in read) return giveUp(deps, read.original, 'parse', read.reason)
  const { event } = read
  const outcomes = await Promise.all(
    functions
      .filter((fn) => fn.wants(event.type))
      .map(async (fn): Promise<DaprStatus> => {
        try {
          await fn.deliver(event, deps)
          return 'SUCCESS'
        } catch (error) {
          const fields = { function: fn.consumer, event_id: event.id, type: event.type, err: error }
          if (error instanceof PermanentError) return giveUp(deps, event, fn.consumer, error.message)
          deps.log.warn(fields, 'delivery failed and will be retried')
          return 'RETRY'
        }
      }),
  )
  return outcomes.includes('RETRY') ? 'RETRY' : 'SUCCESS'
}

type ReadEvent = { event: CloudEvent } | { reason: string; original: unknown }

function readEvent(raw: string): ReadEvent {
  let original: unknown
  try {
    original = JSON.parse(raw)
  } catch {
    return { reason: 'the message is not JSON', original: raw }
  }
  const envelope = CloudEvent.safeParse(original)
  if (!envelope.success) return { reason: `not a Daybook CloudEvent: ${envelope.error.message}`, original }
  const definition = definitionOf(envelope.data.type)
  // A type we do not know belongs to a newer Daybook; no function wants it, so it is simply done.
  if (!definition) return { event: envelope.data }
  if (!envelope.data.dataversion.startsWith('1.')) {
    return { reason: `dataversion ${envelope.data.dataversion} is not supported`, original }
  }
  const data = definition.data.safeParse(envelope.data.data)
  if (!data.success)
    return { reason: `data does not fit ${envelope.data.type}: ${data.error.message}`, original }
  return { event: { ...envelope.data, data: data.data } }
}

/** Puts what cannot be processed where `scripts/dlq.ts` finds it, with the reason; only then is the message done. */
async function giveUp(deps: Deps, original: unknown, consumer: string, reason: string): Promise<DaprStatus> {
  deps.log.error({ function: consumer, reason }, 'event moved to the dead letters')
  const base = typeof original === 'object' && original !== null ? original : { data: original }
  const now = deps.clock.now().toISOString()
  const letter = {
    ...{ specversion: '1.0', id: deps.ids.uuid(), type: 'unknown', source: '/services/unknown', time: now },
    ...{
      datacontenttype: 'application/json',
      ...base,
      dlqconsumer: consumer,
      dlqreason: reason.slice(0, 1000),
    },
  }
  try {
    const refused = await deps.broker.publishAll(DEAD_LETTER_TOPIC, [letter as unknown as CloudEvent])
    return refused.size === 0 ? 'SUCCESS' : 'RETRY'
  } catch (err) {
    deps.log.warn({ function: consumer, err }, 'dead letter could not be published; the message stays')
    return 'RETRY'
  }
}
