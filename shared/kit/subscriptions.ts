import type { Hono } from 'hono'
import { z } from 'zod'
import type { Deps } from '../app/ports.ts'
import { CloudEvent } from '../domain/cloud-event.ts'
import { PermanentError } from '../domain/errors.ts'
import { definitionOf } from '../domain/events.ts'
import type { AppEnv } from './base-app.ts'
import { contentId } from './content-id.ts'
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
  const names = functions.map((fn) => fn.consumer)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  // They would share their dedupe marks, and each event would have the effect of one of them only.
  if (twice !== undefined) throw new Error(`There are two topic functions named ${twice}.`)
  const topics = [...new Set(functions.flatMap((fn) => fn.topics))]
  const takers = new Map(functions.flatMap((fn) => (fn.take ? fn.topics.map((topic) => [topic, fn]) : [])))
  const shared = topics.find((topic) => takers.has(topic) && countOf(functions, topic) > 1)
  if (shared !== undefined) throw new Error(`The messages of ${shared} are taken by one function only.`)
  const guard = sidecarOnly(deps)
  app.get('/dapr/subscribe', guard, (c) =>
    c.json(
      topics.map((topic) => ({
        ...{ pubsubname: PUBSUB, topic, route: `/dapr/events/${topic}`, deadLetterTopic: DEAD_LETTER_TOPIC },
        ...(takers.has(topic) && { metadata: { rawPayload: 'true' } }),
      })),
    ),
  )
  app.get('/dapr/config', guard, (c) => c.json({}))
  for (const topic of topics) {
    app.post(`/dapr/events/${topic}`, guard, async (c) => {
      const taker = takers.get(topic)
      const body = await c.req.text()
      const status = taker ? await handOver(body, taker, deps) : await deliverToAll(body, functions, deps)
      return c.json({ status })
    })
  }
}

const countOf = (functions: readonly TopicFunction[], topic: string): number =>
  functions.filter((fn) => fn.topics.some((own) => own === topic)).length

/** How the sidecar wraps a message of a subscription with `rawPayload` (Dapr, Publishing & subscribing without CloudEvents). */
const Wrapped = z.object({ data_base64: z.base64() })

/** Hands a message over as it is. What cannot be taken is tried again, never given up on. */
async function handOver(text: string, taker: TopicFunction, deps: Deps): Promise<DaprStatus> {
  try {
    const body = Buffer.from(Wrapped.parse(JSON.parse(text)).data_base64, 'base64')
    await taker.take?.({ body, contentId: contentId(body) }, deps)
    return 'SUCCESS'
  } catch (err) {
    deps.log.warn({ function: taker.consumer, err }, 'delivery failed and will be retried')
    return 'RETRY'
  }
}

/** What a consumer made of an event; a reason says why no retry can help. */
type Outcome = 'done' | 'retry' | { consumer: string; reason: string }

async function deliverToAll(
  raw: string,
  functions: readonly TopicFunction[],
  deps: Deps,
): Promise<DaprStatus> {
  const read = readEvent(raw, functions)
  if (read === 'unwanted') return 'SUCCESS'
  if ('reason' in read) return giveUp(deps, read.original, { consumer: 'parse', reason: read.reason })
  const { event, original } = read
  const wanted = functions.filter((fn) => fn.wants(event.type))
  const outcomes = await Promise.all(wanted.map((fn) => deliverTo(fn, event, deps)))
  // One that has given up gives up again with every retry of the others; its letter waits until they are done.
  if (outcomes.includes('retry')) return 'RETRY'
  const letters = outcomes.filter((outcome) => typeof outcome === 'object')
  const statuses = await Promise.all(letters.map((letter) => giveUp(deps, original, letter)))
  return statuses.includes('RETRY') ? 'RETRY' : 'SUCCESS'
}

async function deliverTo(fn: TopicFunction, event: CloudEvent, deps: Deps): Promise<Outcome> {
  try {
    await fn.deliver(event, deps)
    return 'done'
  } catch (err) {
    if (err instanceof PermanentError) return { consumer: fn.consumer, reason: err.message }
    const { id, type, traceparent } = event
    const fields = { function: fn.consumer, event_id: id, type, trace_id: traceparent?.slice(3, 35), err }
    deps.log.warn(fields, 'delivery failed and will be retried')
    return 'retry'
  }
}

const Typed = z.object({ type: z.string() })

type ReadEvent = ({ original: unknown } & ({ event: CloudEvent } | { reason: string })) | 'unwanted'

/** Looks only into what is wanted here: most messages of a topic are of no concern to a consumer. */
function readEvent(raw: string, functions: readonly TopicFunction[]): ReadEvent {
  let original: unknown
  try {
    original = JSON.parse(raw)
  } catch {
    return { reason: 'the message is not JSON', original: raw }
  }
  const type = Typed.safeParse(original).data?.type
  if (type !== undefined && !functions.some((fn) => fn.wants(type))) return 'unwanted'
  const envelope = CloudEvent.safeParse(original)
  if (!envelope.success) return { reason: `not a Daybook CloudEvent: ${envelope.error.message}`, original }
  const definition = definitionOf(envelope.data.type)
  if (!definition) return { event: envelope.data, original }
  if (!envelope.data.dataversion.startsWith('1.')) {
    return { reason: `dataversion ${envelope.data.dataversion} is not supported`, original }
  }
  const data = definition.data.safeParse(envelope.data.data)
  if (!data.success)
    return { reason: `data does not fit ${envelope.data.type}: ${data.error.message}`, original }
  return { event: { ...envelope.data, data: data.data }, original }
}

/** Moves what cannot be processed to the dead letters, with the reason; only then is the message done. */
async function giveUp(
  deps: Deps,
  original: unknown,
  { consumer, reason }: { consumer: string; reason: string },
): Promise<DaprStatus> {
  deps.log.error({ function: consumer, reason }, 'event moved to the dead letters')
  const letter = deadLetter(original, deps.clock.now().toISOString())
  const marked = { ...letter, dlqconsumer: consumer, dlqreason: reason.slice(0, 1000) }
  try {
    const refused = await deps.broker.publishAll(DEAD_LETTER_TOPIC, [marked as unknown as CloudEvent])
    return refused.size === 0 ? 'SUCCESS' : 'RETRY'
  } catch (err) {
    deps.log.warn({ function: consumer, err }, 'dead letter could not be published; the message stays')
    return 'RETRY'
  }
}

/** The message unchanged; where it lacks what every CloudEvent has, with that added. Twice given up, it has the same id. */
function deadLetter(original: unknown, time: string): object {
  const defaults = { specversion: '1.0', type: 'unknown', source: '/services/unknown', time }
  const isEvent = typeof original === 'object' && original !== null && !Array.isArray(original)
  const event: { id?: unknown } = isEvent ? original : { data: original }
  const hasId = typeof event.id === 'string' && event.id !== ''
  const id = hasId ? {} : { id: contentId(JSON.stringify(original)) }
  return { ...defaults, datacontenttype: 'application/json', ...event, ...id }
}
