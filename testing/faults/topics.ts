import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { Random } from './random.ts'

/** A message of a topic that is consumed, and how far the consumer group is with it. */
export interface Message {
  topic: string
  event: CloudEvent
  deliveries: number
  underWay: number
  /** Times the consumer asked for it again. */
  retries: number
  state: 'waiting' | 'done' | 'dead'
}

/** So often a consumer may ask for a message again before it becomes a dead letter. */
const MAX_RETRIES = 5

/**
 * What a broker keeps: topics in the order in which it accepted events, ordered per user as partitions are. Durable, as
 * a broker is that has acknowledged; written down without any code of the product or of the embedded sidecar.
 */
export interface Topics {
  readonly messages: readonly Message[]
  /** Each event when it reached the consumer for the first time. */
  readonly firstDeliveries: readonly CloudEvent[]
  /** Everything accepted, by topic, duplicates included. */
  accepted(topic: string): readonly CloudEvent[]
  accept(topic: string, event: CloudEvent): void
  /** A message that may be delivered now: of each user the first that is not done, or any in disorder. */
  next(random: Random, how: { inDisorder: boolean; again: boolean }): Message | undefined
  /** What a sidecar may bring in one batch with a message: what follows for its user, and messages of others. */
  batchOf(random: Random, first: Message): readonly Message[]
  /** Notes that a delivery begins. */
  begin(message: Message): void
  /** Notes what the consumer said; `givesUp`: the sidecar does not try again. */
  finish(message: Message, status: 'SUCCESS' | 'RETRY', givesUp?: boolean): void
}

export function createTopics(consumed: readonly string[] = ['task-events']): Topics {
  const messages: Message[] = []
  const firstDeliveries: CloudEvent[] = []
  const seen = new Set<string>()
  const topics = new Map<string, CloudEvent[]>()
  return {
    messages,
    firstDeliveries,
    accepted: (topic) => topics.get(topic) ?? [],
    accept: (topic, event) => {
      const taken = topics.get(topic)
      if (taken) taken.push(event)
      else topics.set(topic, [event])
      if (!consumed.includes(topic)) return
      messages.push({ topic, event, deliveries: 0, underWay: 0, retries: 0, state: 'waiting' })
    },
    next: (random, { inDisorder, again }) => {
      if (again) {
        const known = messages.filter((message) => message.deliveries > 0)
        return known.length > 0 ? random.pick(known) : undefined
      }
      const busy = new Set<string>()
      const due = messages.filter((message) => {
        if (message.state !== 'waiting') return false
        const partition = `${message.topic} ${message.event.userid}`
        const isFirst = !busy.has(partition)
        if (!inDisorder) busy.add(partition)
        return isFirst && message.underWay === 0
      })
      return due.length > 0 ? random.pick(due) : undefined
    },
    batchOf: (random, first) => {
      const waiting = messages.filter(({ topic, state }) => topic === first.topic && state === 'waiting')
      const ofUsers = [...Map.groupBy(waiting, ({ event }) => event.userid).values()].filter((ofUser) =>
        ofUser.every(({ underWay }) => underWay === 0),
      )
      if (!ofUsers.some(([oldest]) => oldest === first)) return [first]
      return ofUsers.flatMap((ofUser) => ofUser.slice(0, Number(ofUser[0] === first) + random.below(12)))
    },
    begin: (message) => {
      message.deliveries += 1
      message.underWay += 1
      if (!seen.has(message.event.id)) firstDeliveries.push(message.event)
      seen.add(message.event.id)
    },
    finish: (message, status, givesUp = false) => {
      if (message.state !== 'waiting') return
      if (status === 'SUCCESS') message.state = 'done'
      else if (++message.retries > MAX_RETRIES || givesUp) message.state = 'dead'
    },
  }
}
