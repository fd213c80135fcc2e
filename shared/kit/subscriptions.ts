import type { Hono } from 'hono'
import { z } from 'zod'
import type { Deps } from '../app/ports.ts'
import { CloudEvent } from '../domain/cloud-event.ts'
import { asEvent, DEAD_LETTER_TOPIC, markDeadLetter, type GivenUp } from '../domain/dead-letter.ts'
import { PermanentError } from '../domain/errors.ts'
import { definitionOf } from '../domain/events.ts'
import { parseJson } from '../domain/parse-json.ts'
import { upcast } from '../domain/upcast.ts'
import type { AppEnv } from './base-app.ts'
import { contentId } from './content-id.ts'
import { inOrder } from './topics/in-order.ts'
import { sidecarOnly } from './sidecar-only.ts'
import type { TopicFunction } from './topic-function.ts'
import { ownNameOf } from './units.ts'

export const PUBSUB = 'pubsub'
type DaprStatus = 'SUCCESS' | 'RETRY'

/** Kafka's component waits so long for a batch to fill, and every event with it; its own default is 10 s. */
const BATCHES = { enabled: true, maxMessagesCount: 100, maxAwaitDurationMs: 10 }

/**
 * Serves the topic functions of a process. Dapr keeps one subscription per topic and app-id and drops the earlier of
 * two without a word, so all functions of a topic share one route; a message is done when every one of them is.
 */
export function mountTopics(app: Hono<AppEnv>, functions: readonly TopicFunction[], deps: Deps): void {
  const names = functions.map(ownNameOf)
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
        pubsubname: PUBSUB,
        topic,
        route: `/dapr/events/${topic}`,
        deadLetterTopic: DEAD_LETTER_TOPIC,
        ...(takers.has(topic) && { metadata: { rawPayload: 'true' } }),
        ...(comesInBatches(functions, topic) && { bulkSubscribe: BATCHES }),
      })),
    ),
  )
  app.get('/dapr/config', guard, (c) => c.json({}))
  for (const topic of topics) {
    app.post(`/dapr/events/${topic}`, guard, async (c) => {
      const taker = takers.get(topic)
      const body = await c.req.text()
      if (taker) return c.json({ status: await handOver(body, taker, deps) })
      const message = parseJson(body)
      const batch = Batch.safeParse(message).data
      if (!batch) {
        const [status] = await deliverAll([message === undefined ? body : message], functions, deps)
        return c.json({ status })
      }
      const statuses = await deliverAll(
        batch.entries.map(({ event }) => event),
        functions,
        deps,
      )
      return c.json({
        statuses: batch.entries.map(({ entryId }, index) => ({ entryId, status: statuses[index] })),
      })
    })
  }
}

const countOf = (functions: readonly TopicFunction[], topic: string): number =>
  functions.filter((fn) => fn.topics.some((own) => own === topic)).length

/** One that takes long would keep the others of its batch waiting, so it pays where nobody does more than commit. */
const comesInBatches = (functions: readonly TopicFunction[], topic: string): boolean =>
  functions.every((fn) => fn.onlyCommits || !fn.topics.some((own) => own === topic))

/** How the sidecar sends several messages of a subscription with `bulkSubscribe`. */
const Batch = z.object({
  type: z.literal('com.dapr.event.sent.bulk'),
  entries: z.array(z.object({ entryId: z.string(), event: z.unknown() })),
})

/** How the sidecar wraps a message of a subscription with `rawPayload` (Dapr, Publishing & subscribing without CloudEvents). */
const Wrapped = z.object({ data_base64: z.base64() })

/** Hands a message over as it is. What cannot be taken is tried again, never given up on. */
async function handOver(text: string, taker: TopicFunction, deps: Deps): Promise<DaprStatus> {
  try {
    const body = Buffer.from(Wrapped.parse(JSON.parse(text)).data_base64, 'base64')
    await taker.take?.({ body, contentId: contentId(body) }, deps)
    return 'SUCCESS'
  } catch (err) {
    deps.log.warn({ function: taker.name, err }, 'failed to process event; it will be redelivered')
    return 'RETRY'
  }
}

/** What a consumer made of an event. */
type Outcome = 'done' | 'retry' | GivenUp

/** One status for each message: done when all who want it are done with it. */
async function deliverAll(
  messages: readonly unknown[],
  functions: readonly TopicFunction[],
  deps: Deps,
): Promise<DaprStatus[]> {
  const read = messages.map((message) => readEvent(message, functions))
  const events = read.flatMap((message, index) =>
    typeof message === 'object' && 'event' in message ? [{ index, event: message.event }] : [],
  )
  const outcomes = read.map((message): Outcome[] =>
    typeof message === 'object' && 'reason' in message ? [{ consumer: 'parse', reason: message.reason }] : [],
  )
  await Promise.all(
    functions.flatMap((fn) => {
      const wanted = events.filter(({ event }) => fn.wants(event.type))
      const byUser = Map.groupBy(wanted, ({ event }) => event.userid)
      return [...byUser.values()].map((ofUser) => deliverInOrder(fn, ofUser, outcomes, deps))
    }),
  )
  return await Promise.all(
    outcomes.map(async (ofMessage, index): Promise<DaprStatus> => {
      // One that has given up gives up again with every retry of the others; its letter waits until they are done.
      if (ofMessage.includes('retry')) return 'RETRY'
      const letters = ofMessage.filter((outcome) => typeof outcome === 'object')
      const statuses = await Promise.all(letters.map((letter) => giveUp(deps, messages[index], letter)))
      return statuses.includes('RETRY') ? 'RETRY' : 'SUCCESS'
    }),
  )
}

/** Events of one user, up to the first that is to be tried again: none overtakes it. */
async function deliverInOrder(
  fn: TopicFunction,
  events: readonly { index: number; event: CloudEvent }[],
  outcomes: Outcome[][],
  deps: Deps,
): Promise<void> {
  const deliverNext = async (
    { index, event }: (typeof events)[number],
    commit?: Parameters<TopicFunction['deliver']>[2],
  ): Promise<boolean> => {
    const outcome = await deliverTo(fn, event, deps, commit)
    outcomes[index]!.push(outcome)
    return outcome !== 'retry'
  }
  let done = 0
  if (fn.onlyCommits && events.length > 1) done = await inOrder(events, deps.changes, deliverNext)
  else while (done < events.length && (await deliverNext(events[done]!))) done += 1
  for (const { index } of events.slice(done)) outcomes[index]!.push('retry')
}

async function deliverTo(
  fn: TopicFunction,
  event: CloudEvent,
  deps: Deps,
  commit?: Parameters<TopicFunction['deliver']>[2],
): Promise<Outcome> {
  try {
    await fn.deliver(event, deps, commit)
    return 'done'
  } catch (err) {
    if (err instanceof PermanentError) return { consumer: ownNameOf(fn), reason: err.message }
    const { id, type, traceparent } = event
    const fields = { function: fn.name, event_id: id, type, trace_id: traceparent?.slice(3, 35), err }
    deps.log.warn(fields, 'failed to process event; it will be redelivered')
    return 'retry'
  }
}

const Typed = z.object({ type: z.string() })

type ReadEvent = { event: CloudEvent } | { reason: string } | 'unwanted'

/** Looks only into what is wanted here: most messages of a topic are of no concern to a consumer. */
function readEvent(message: unknown, functions: readonly TopicFunction[]): ReadEvent {
  if (typeof message === 'string') return { reason: 'the message is not JSON' }
  const type = Typed.safeParse(message).data?.type
  if (type !== undefined && !functions.some((fn) => fn.wants(type))) return 'unwanted'
  const envelope = CloudEvent.safeParse(message)
  if (!envelope.success) return { reason: `not a Daybook CloudEvent: ${envelope.error.message}` }
  const definition = definitionOf(envelope.data.type)
  if (!definition) return { event: envelope.data }
  const { dataversion, time, userid: userId } = envelope.data
  const present = upcast({ ...envelope.data, data: envelope.data.data, time: new Date(time), userId })
  if (!present) return { reason: `dataversion ${dataversion} is not supported` }
  const data = definition.data.safeParse(present.data)
  if (!data.success) return { reason: `data does not fit ${envelope.data.type}: ${data.error.message}` }
  return { event: { ...envelope.data, data: data.data } }
}

/** Moves what cannot be processed to the dead letters, with the reason; only then is the message done. */
async function giveUp(deps: Deps, original: unknown, givenUp: GivenUp): Promise<DaprStatus> {
  const { consumer, reason } = givenUp
  deps.log.error({ function: consumer, reason }, 'moved event to dead letters')
  const missing = { id: contentId(JSON.stringify(original)), time: deps.clock.now().toISOString() }
  const letter = markDeadLetter(asEvent(original, missing), givenUp)
  try {
    const refused = await deps.broker.publishAll(DEAD_LETTER_TOPIC, [letter as unknown as CloudEvent])
    return refused.size === 0 ? 'SUCCESS' : 'RETRY'
  } catch (err) {
    deps.log.warn(
      { function: consumer, err },
      'failed to publish dead letter; the message will be redelivered',
    )
    return 'RETRY'
  }
}
