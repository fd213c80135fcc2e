import { topicChannel, type Topic } from './broker.ts'
import { deliverBulk } from './deliver-bulk.ts'
import { deliverOne } from './deliver.ts'
import { createDeliverySession, type DeliverySession } from './delivery-session.ts'
import { findComponent, type SidecarContext } from '../context.ts'
import { LEASE_SECONDS, release, renew, standings, takeOver, type GroupTopic } from './progress.ts'
import { askSubscriptions, type Subscription } from './subscriptions.ts'
import { wakeBusOf } from '../wake.ts'

/** The subscriptions of one app and their deliveries. */
export interface Deliveries {
  readonly subscriptions: readonly Subscription[]
  start(): Promise<void>
  wake(): void
  idle(): Promise<void>
  stop(): Promise<void>
}

interface Consumer {
  readonly subscription: Subscription
  readonly topic: Topic
  readonly deadLetterTopic: Topic | null
  readonly group: GroupTopic
  session: DeliverySession | null
}

const POLL_MS = 500
const RENEW_MS = (LEASE_SECONDS * 1000) / 3

export function createDeliveries(context: SidecarContext): Deliveries {
  const { sql, logger } = context
  const stopped = new AbortController()
  const bus = wakeBusOf(sql)
  const ownersChannel = `owners ${context.appId}`
  let consumers: Consumer[] = []
  let unlisten: (() => void)[] = []
  let polling: Promise<void> = Promise.resolve()
  let subscriptions: readonly Subscription[] = []

  async function open(subscription: Subscription): Promise<Consumer | null> {
    if (!findComponent(context, subscription.pubsub, 'pubsub.')) {
      logger.error(
        { pubsub: subscription.pubsub, topic: subscription.topic },
        'ignored subscription to unknown pubsub',
      )
      return null
    }
    const { pubsub, topic: name, deadLetterTopic } = subscription
    const topic = await context.broker.topic(pubsub, name)
    return {
      subscription,
      topic,
      deadLetterTopic: deadLetterTopic === null ? null : await context.broker.topic(pubsub, deadLetterTopic),
      group: { appId: context.appId, topicId: topic.id, owner: context.newId() },
      session: null,
    }
  }

  async function begin(consumer: Consumer): Promise<void> {
    const { subscription, topic, deadLetterTopic, group } = consumer
    const { nextOffset, lanes } = await takeOver(sql, group, context.clock.now())
    consumer.session = createDeliverySession(context, {
      subscription,
      topic,
      deadLetterTopic,
      group,
      startAt: nextOffset,
      parkedLanes: lanes,
      deliver: async (messages) =>
        subscription.bulk
          ? await deliverBulk(context, subscription, topic, messages)
          : [await deliverOne(context, subscription, topic, messages[0]!)],
      onLost: () => lose(consumer),
    })
    consumer.session.wake()
    bus.notify(ownersChannel)
  }

  function lose(consumer: Consumer): void {
    logger.info({ topic: consumer.topic.name }, 'stopped delivering: another sidecar of this app took over')
    consumer.session?.discard()
    consumer.session = null
  }

  // What other processes published, and topics whose owner has gone, are found by looking.
  async function poll(): Promise<void> {
    for (const { topicId, hasNoOwner, isOurs } of await standings(
      sql,
      consumers.map(({ group }) => group),
    )) {
      const consumer = consumers.find(({ topic }) => topic.id === topicId)
      if (!consumer) continue
      if (isOurs) consumer.session?.wake()
      else if (!hasNoOwner && consumer.session) lose(consumer)
      else if (hasNoOwner && !context.isPaused()) await begin(consumer)
    }
  }

  async function pollAlways(): Promise<void> {
    let sinceRenewal = 0
    while (!stopped.signal.aborted) {
      try {
        await poll()
        isFailing = false
        if ((sinceRenewal += POLL_MS) >= RENEW_MS) {
          sinceRenewal = 0
          await renew(
            sql,
            consumers.map(({ group }) => group),
          )
        }
      } catch (error) {
        reportPoll(error)
      }
      await context.delay(POLL_MS, stopped.signal).catch(() => {})
    }
  }

  let isFailing = false
  function reportPoll(error: unknown): void {
    if (!isFailing) logger.error({ err: error }, 'failed to poll messages')
    isFailing = true
  }

  return {
    get subscriptions() {
      return subscriptions
    },
    async start() {
      subscriptions = await askSubscriptions(context)
      consumers = (await Promise.all(subscriptions.map(open))).filter((consumer) => consumer !== null)
      for (const consumer of consumers) {
        await begin(consumer)
        unlisten.push(bus.listen(topicChannel(consumer.topic.id), () => consumer.session?.wake()))
      }
      unlisten.push(bus.listen(ownersChannel, () => void poll().catch(reportPoll)))
      polling = pollAlways()
    },
    wake() {
      for (const { session } of consumers) session?.wake()
    },
    async idle() {
      for (const { session } of consumers) await session?.idle()
    },
    async stop() {
      stopped.abort()
      for (const end of unlisten.splice(0)) end()
      await polling
      await Promise.all(
        consumers.map(async ({ session, group, topic }) => {
          if (!session) return
          await session.drain()
          await release(sql, group).catch((error: unknown) =>
            logger.error(
              { topic: topic.name, err: error },
              'failed to release topic; it is free when its lease ends',
            ),
          )
        }),
      )
    },
  }
}
