import { z } from 'zod'
import type { Envelope } from './envelope.ts'
import type { SidecarContext } from '../context.ts'
import { parseCondition } from './route-condition.ts'

const Answer = z.array(
  z.object({
    pubsubname: z.string(),
    topic: z.string(),
    deadLetterTopic: z.string().default(''),
    metadata: z.record(z.string(), z.string()).nullish(),
    route: z.string().default(''),
    routes: z
      .object({
        rules: z.array(z.object({ match: z.string().default(''), path: z.string() })).default([]),
        default: z.string().default(''),
      })
      .prefault({}),
    bulkSubscribe: z
      .object({
        enabled: z.boolean().default(false),
        maxMessagesCount: z.number().int().default(0),
        maxAwaitDurationMs: z.number().int().default(0),
      })
      .nullish(),
  }),
)

interface Rule {
  readonly match: string
  readonly path: string
  readonly applies: (event: Envelope) => boolean
}

export interface Subscription {
  readonly pubsub: string
  readonly topic: string
  readonly rules: readonly Rule[]
  readonly deadLetterTopic: string | null
  readonly isRaw: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly bulk: { readonly maxMessages: number; readonly maxAwaitMs: number } | null
}

// What Kafka's component takes when the subscription does not say.
const BULK_MESSAGES = 80
const BULK_AWAIT_MS = 10_000

/**
 * The subscriptions that the app answers to `GET /dapr/subscribe`. Of two for the same topic the later counts, those
 * without a route are left out, a 404 means none (dapr/pkg/runtime/pubsub/subscriptions.go).
 */
export async function askSubscriptions(context: SidecarContext): Promise<readonly Subscription[]> {
  const response = await context.app.call({ method: 'GET', path: '/dapr/subscribe' })
  if (response.status === 404) return []
  if (response.status !== 200) {
    context.logger.error({ status: response.status }, 'failed to read subscriptions: app answered an error')
    return []
  }
  const text = await response.text()
  const byTopic = new Map<string, Subscription>()
  for (const entry of Answer.parse(text === '' ? [] : JSON.parse(text))) {
    const rules: Rule[] = entry.routes.rules.map(({ match, path }) => ({
      match,
      path,
      applies: parseCondition(match),
    }))
    const fallback = entry.routes.default || entry.route
    if (fallback) rules.push({ match: '', path: fallback, applies: () => true })
    if (rules.length === 0) {
      context.logger.warn({ topic: entry.topic }, 'ignored subscription without a route')
      continue
    }
    const metadata = entry.metadata ?? {}
    byTopic.set(`${entry.pubsubname}/${entry.topic}`, {
      pubsub: entry.pubsubname,
      topic: entry.topic,
      rules,
      deadLetterTopic: entry.deadLetterTopic || null,
      isRaw: /^(?:1|t|true)$/i.test(metadata.rawPayload ?? ''),
      metadata,
      bulk: entry.bulkSubscribe?.enabled
        ? {
            maxMessages: entry.bulkSubscribe.maxMessagesCount || BULK_MESSAGES,
            maxAwaitMs: entry.bulkSubscribe.maxAwaitDurationMs || BULK_AWAIT_MS,
          }
        : null,
    })
  }
  return [...byTopic.values()]
}

/** The path of the first rule that applies, or null: then the event is dropped. */
export function routeOf(subscription: Subscription, event: Envelope): string | null {
  return subscription.rules.find(({ applies }) => applies(event))?.path ?? null
}
