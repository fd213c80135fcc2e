import { z } from 'zod'
import { DomainError } from '../../domain/errors.ts'
import { CursorText, cursorText, type Cursor } from '../../domain/sync/cursor.ts'
import { taskMessage } from '../../domain/sync/task-message.ts'
import type { Actor, Deps } from '../ports.ts'
import type { Conversation, Found } from './ports.ts'
import { readChanges, type ChangePage } from './read-changes.ts'

const BATCH = 100
/** How far ahead of what a client has acknowledged it is told more, once it acknowledges at all. */
const MAX_UNACKNOWLEDGED = 1000

/** `tasks`: what the task messages are about; `changes`: events of all kinds, as GET /api/changes has them. */
const CHANNELS = ['tasks', 'changes'] as const
type Channel = (typeof CHANNELS)[number]

const Message = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('subscribe'),
    channel: z.enum(CHANNELS),
    since: CursorText.optional(),
    user_id: z.string().optional(),
  }),
  z.object({ type: z.literal('unsubscribe'), channel: z.enum(CHANNELS) }),
  z.object({ type: z.literal('ack'), cursor: CursorText, channel: z.enum(CHANNELS).optional() }),
  z.object({ type: z.literal('ping') }),
])

interface Subscription {
  place: Cursor
  /** Null before the first. */
  acknowledged: number | null
  /** Whether the client knows that it has everything. */
  isUpToDate: boolean
}

/** What is said over /api/tasks/ws: docs/sync.md. */
export function talkChanges(
  deps: Pick<Deps, 'clock' | 'changeLog' | 'changeSignal'>,
  actor: Actor,
): Conversation {
  const subscriptions = new Map<Channel, Subscription>()

  async function subscribe(channel: Channel, since: Cursor | undefined): Promise<object> {
    const place = since ? await known(since) : await now()
    subscriptions.set(channel, { place, acknowledged: null, isUpToDate: false })
    return { type: 'subscribed', channel, cursor: cursorText(place.origin!, place.sequence) }
  }
  /** The same place, in its history. */
  const known = async (since: Cursor): Promise<Cursor> => ({
    ...(await readChanges(deps, actor, since, 1)).next,
    sequence: since.sequence,
  })
  const now = async (): Promise<Cursor> => {
    const { history, newest } = await deps.changeLog.after(actor.userId, Number.MAX_SAFE_INTEGER, 1)
    return { origin: { history, userId: actor.userId }, sequence: newest }
  }

  async function answer(message: z.infer<typeof Message>): Promise<object> {
    switch (message.type) {
      case 'subscribe':
        if (message.user_id !== undefined && message.user_id !== actor.userId) {
          return refusal(new DomainError('auth.forbidden', 'The user does not match the token.'))
        }
        return await subscribe(message.channel, message.since)
      case 'unsubscribe':
        subscriptions.delete(message.channel)
        return { type: 'unsubscribed', channel: message.channel }
      case 'ack':
        for (const [channel, subscription] of subscriptions) {
          if (message.channel !== undefined && message.channel !== channel) continue
          subscription.acknowledged = Math.max(subscription.acknowledged ?? 0, message.cursor.sequence)
        }
        return { type: 'acknowledged' }
      case 'ping':
        return { type: 'pong', server_time: deps.clock.now().toISOString() }
    }
  }

  async function news(channel: Channel, subscription: Subscription): Promise<Found<object>> {
    const { place, acknowledged } = subscription
    if (acknowledged !== null && place.sequence - acknowledged >= MAX_UNACKNOWLEDGED) return NOTHING
    const page = await readChanges(deps, actor, place, BATCH)
    if (subscriptions.get(channel) !== subscription) return NOTHING
    // Before the place moves, so that what fails here is told when it is asked again.
    const told = page.changes.flatMap((change) => messageOf(channel, change))
    const wasUpToDate = subscription.isUpToDate
    subscription.place = page.next
    subscription.isUpToDate = !page.hasMore
    if (page.changes.length === 0 && wasUpToDate) return NOTHING
    // A client stores what came since the last of these together with this cursor, or none of it.
    const cursor = {
      type: 'cursor',
      channel,
      cursor: page.cursor,
      sequence: page.next.sequence,
      is_up_to_date: !page.hasMore,
    }
    return { items: [...told, cursor], hasMore: page.hasMore }
  }

  return {
    async take(message) {
      const parsed = Message.safeParse(message)
      if (!parsed.success) return [refusal(new DomainError('request.invalid', z.prettifyError(parsed.error)))]
      try {
        return [await answer(parsed.data)]
      } catch (error) {
        if (error instanceof DomainError) return [refusal(error, message)]
        throw error
      }
    },
    // Of one channel at a time: what was read of it is said before anything else is read, which may fail or be ended meanwhile.
    async next() {
      for (const [channel, subscription] of Array.from(subscriptions)) {
        const told = await news(channel, subscription).catch((error: unknown) => {
          // The database was restored meanwhile, or the client was too slow.
          if (!(error instanceof DomainError)) throw error
          if (subscriptions.get(channel) !== subscription) return NOTHING
          subscriptions.delete(channel)
          return { items: [refusal(error, { channel })], hasMore: false }
        })
        if (told.items.length === 0) continue
        // The other one comes next.
        if (subscriptions.delete(channel)) subscriptions.set(channel, subscription)
        return { ...told, hasMore: told.hasMore || subscriptions.size > 1 }
      }
      return NOTHING
    },
    subscribe: (onNews) => deps.changeSignal.subscribe(actor.userId, onNews),
  }
}

function messageOf(channel: Channel, { event, cursor }: ChangePage['changes'][number]): object[] {
  if (channel === 'changes') return [{ type: 'change', event, cursor }]
  const message = taskMessage(event)
  return message ? [{ ...message, cursor }] : []
}

const NOTHING: Found<object> = { items: [], hasMore: false }

const refusal = ({ code, message: detail }: DomainError, about?: unknown): object => ({
  type: 'error',
  code,
  detail,
  ...(about instanceof Object && 'channel' in about && { channel: about.channel }),
})
