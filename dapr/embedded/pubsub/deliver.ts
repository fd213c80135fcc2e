import { z } from 'zod'
import { discardBody, metadataHeaders } from '../app-channel.ts'
import type { Message, Topic } from './broker.ts'
import type { SidecarContext } from '../context.ts'
import { hasExpired, rawEnvelope, type Envelope } from './envelope.ts'
import { messageOf } from '../errors.ts'
import { routeOf, type Subscription } from './subscriptions.ts'

/** What became of a message: finished, given up for good (dead letter), or to be tried again. */
export type Outcome = 'done' | 'drop' | 'retry'

export interface Prepared {
  readonly event: Envelope
  readonly text: string
  readonly path: string
}

const AppAnswer = z.object({ status: z.unknown().optional() })
const NO_TRACE = '00-00000000000000000000000000000000-0000000000000000-00'

/** Parses a message for its subscription. Not every message reaches the app: expired, unroutable and broken ones do not. */
export function prepare(
  context: SidecarContext,
  subscription: Subscription,
  message: Message,
): Prepared | 'drop' | 'broken' {
  let event: Envelope
  let text = message.isRaw ? Buffer.from(message.body, 'base64').toString() : message.body
  if (subscription.isRaw) {
    const base64 = message.isRaw ? message.body : Buffer.from(message.body).toString('base64')
    event = rawEnvelope(base64, {
      pubsub: subscription.pubsub,
      topic: subscription.topic,
      id: context.newId(),
    })
    text = JSON.stringify(event)
  } else {
    try {
      event = objectOf(JSON.parse(text))
    } catch (error) {
      context.logger.error(
        { topic: subscription.topic, offset: message.offset, err: error },
        'failed to parse message: not a CloudEvent',
      )
      return 'broken'
    }
  }
  if (hasExpired(event, context.clock.now())) return 'drop'
  const path = routeOf(subscription, event)
  return path === null ? 'drop' : { event, text, path }
}

// By hand, because a schema would copy every message.
function objectOf(value: unknown): Envelope {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Envelope
  throw new TypeError('not a JSON object')
}

/** The headers that a message carries to the app, as Dapr's Kafka component sets them. */
export function deliveryHeaders(topic: Topic, message: Message): Record<string, string> {
  return {
    ...(message.key !== null && { __key: message.key }),
    __offset: String(message.offset),
    __partition: '0',
    __timestamp: String(message.publishedAt.getTime()),
    __topic: topic.name,
    ...message.headers,
    pubsubName: topic.pubsub,
  }
}

function traceHeaders(event: Envelope): Record<string, string> {
  const traceparent = event.traceparent || event.traceid
  return {
    traceparent: typeof traceparent === 'string' && traceparent !== '' ? traceparent : NO_TRACE,
    ...(typeof event.tracestate === 'string' && event.tracestate !== '' && { tracestate: event.tracestate }),
  }
}

/** Sends one message to the app and reads its answer (dapr/pkg/runtime/subscription/postman/http). */
export async function deliverOne(
  context: SidecarContext,
  subscription: Subscription,
  topic: Topic,
  message: Message,
): Promise<Outcome> {
  const prepared = prepare(context, subscription, message)
  if (prepared === 'drop') return 'drop'
  if (prepared === 'broken') return subscription.deadLetterTopic === null ? 'retry' : 'drop'
  try {
    const response = await withinTimeout(context, subscription.pubsub, () =>
      context.app.call({
        method: 'POST',
        path: prepared.path,
        headers: {
          ...metadataHeaders(deliveryHeaders(topic, message)),
          ...traceHeaders(prepared.event),
          'content-type': 'application/cloudevents+json',
        },
        body: prepared.text,
      }),
    )
    return await readOutcome(context, subscription, message, response)
  } catch (error) {
    context.logger.warn(
      { topic: topic.name, offset: message.offset, reason: messageOf(error) },
      'failed to deliver message',
    )
    return 'retry'
  }
}

async function readOutcome(
  context: SidecarContext,
  { topic }: Subscription,
  { offset }: Message,
  response: Response,
): Promise<Outcome> {
  if (response.status === 404) {
    await discardBody(response)
    context.logger.error({ topic, offset }, 'dropped message: app answered 404')
    return 'drop'
  }
  if (!response.ok) {
    await discardBody(response)
    context.logger.warn(
      { topic, offset, status: response.status },
      'failed to deliver message: app answered an error',
    )
    return 'retry'
  }
  const status = answeredStatus(await response.text())
  if (status === undefined || status === '' || status === 'SUCCESS') return 'done'
  return status === 'DROP' ? 'drop' : 'retry'
}

// An empty or unreadable body counts as success.
function answeredStatus(text: string): unknown {
  try {
    return AppAnswer.parse(JSON.parse(text)).status
  } catch {
    return undefined
  }
}

// Made once: an error for each of many thousand deliveries would cost as much as they do.
const ANSWERED = new Error('answered in time')

/** Runs one try under the component's inbound timeout. The call itself goes on: its answer is then ignored. */
export async function withinTimeout<T>(
  context: SidecarContext,
  component: string,
  run: () => Promise<T>,
): Promise<T> {
  const { timeoutMs } = context.resources.resiliency.inbound(component)
  if (timeoutMs === null) return await run()
  const timer = new AbortController()
  const expired = context.delay(timeoutMs, timer.signal).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([run(), expired])
  } finally {
    timer.abort(ANSWERED)
    expired.catch(() => {})
  }
}
