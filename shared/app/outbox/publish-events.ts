import { toCloudEvent, toTaskUpdate, type CloudEvent, type RecordedEvent } from '../../domain/cloud-event.ts'
import { definitionOf } from '../../domain/events.ts'
import type { Deps } from '../ports.ts'

/** How much one round claims: many users side by side, a fair share of each. */
const ROUND = { users: 200, events: 4000 }
/** So many calls one after the other at most, so that a user whose event is new waits for few of another's backlog. */
const WAVES = 20

type PublishingDeps = Pick<Deps, 'outbox' | 'broker'>

export interface Published {
  /** Users whose events the broker refused; theirs wait, those of the others have gone out. */
  refused: ReadonlySet<string>
  /** Something is left that another publisher holds. */
  isHeldElsewhere: boolean
}

/**
 * Publishes what is waiting, round by round, leaving out the given users. Throws when the broker is away; what it
 * accepted before is recorded, the rest stays in the outbox.
 */
export async function publishPending(
  deps: PublishingDeps,
  without: Iterable<string> = [],
): Promise<Published> {
  const leftOut = new Set(without)
  const refused = new Set<string>()
  for (;;) {
    let round: Round = { accepted: [], refused: new Set(), failure: null }
    const limit = { ...ROUND, eventsPerUser: WAVES * deps.broker.eventsPerUser, without: [...leftOut] }
    const { claimed, left } = await deps.outbox.drain(limit, async (events) => {
      round = await publishInOrder(deps.broker, events)
      return round.accepted
    })
    if (round.failure) throw round.failure
    for (const userId of round.refused) {
      refused.add(userId)
      leftOut.add(userId)
    }
    if (!left) return { refused, isHeldElsewhere: false }
    if (claimed === 0) return { refused, isHeldElsewhere: true }
  }
}

interface Round {
  accepted: RecordedEvent[]
  refused: Set<string>
  failure: Error | null
}

/**
 * Publishes events that arrive grouped by user and in sequence. Each wave holds as many events of every user as the broker
 * keeps in order, so that an event goes out only after its predecessor; a user whose event is refused stops there.
 */
async function publishInOrder(broker: Deps['broker'], events: RecordedEvent[]): Promise<Round> {
  const round: Round = { accepted: [], refused: new Set(), failure: null }
  let queues = [...Map.groupBy(events, (event) => event.userId).values()]
  for (let place = 0; queues.length > 0; place += broker.eventsPerUser) {
    const wave = queues.flatMap((queue) => queue.slice(place, place + broker.eventsPerUser))
    try {
      const refusedIds = await publishWave(broker, wave)
      for (const event of wave) {
        if (refusedIds.has(event.id)) round.refused.add(event.userId)
        // A copy for another topic may have been refused before this one.
        else if (!round.refused.has(event.userId)) round.accepted.push(event)
      }
    } catch (cause) {
      // What was accepted before must still be recorded, so this is handed on rather than thrown.
      return { ...round, failure: new Error('the broker did not accept the events', { cause }) }
    }
    queues = queues.filter(
      (queue) => place + broker.eventsPerUser < queue.length && !round.refused.has(queue[0]!.userId),
    )
  }
  return round
}

/** One call per topic, all ended before the next wave; task changes go to task-updates too. An event is refused when any of its copies is. */
async function publishWave(broker: Deps['broker'], wave: RecordedEvent[]): Promise<Set<string>> {
  const byTopic = new Map<string, CloudEvent[]>()
  const add = (topic: string, event: CloudEvent) => byTopic.set(topic, [...(byTopic.get(topic) ?? []), event])
  for (const event of wave) {
    add(definitionOf(event.type)!.topic, toCloudEvent(event))
    const update = toTaskUpdate(event)
    if (update) add('task-updates', update)
  }
  const calls = await Promise.allSettled(
    [...byTopic].map(([topic, events]) => broker.publishAll(topic, events)),
  )
  return new Set(
    calls.flatMap((call) => {
      if (call.status === 'rejected') throw call.reason
      return [...call.value]
    }),
  )
}
