import { toCloudEvent, toTaskUpdate, type CloudEvent, type RecordedEvent } from '../../domain/cloud-event.ts'
import { definitionOf } from '../../domain/events.ts'
import type { Deps } from '../ports.ts'

/** How much one round claims: many users side by side, a fair share of each. */
const ROUND = { users: 200, events: 4000 }
/** So many calls one after the other at most, so that a user whose event is new waits for few of another's backlog. */
const WAVES = 20

/** Events in one call: the sidecar answers in time, and a process that answers requests beside is not held up. */
const MAX_WAVE = 500

type PublishingDeps = Pick<Deps, 'outbox' | 'broker' | 'log'>

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
      round = await publishInOrder(deps, events)
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

/** An event with what goes to each topic of it. */
interface Written {
  event: RecordedEvent
  copies: { topic: string; copy: CloudEvent }[]
}

/**
 * Publishes events that arrive grouped by user and in sequence. Each wave holds as many events of every user as the broker
 * keeps in order, so that in no topic an event goes out before its predecessor; a user whose event is refused stops there.
 */
async function publishInOrder({ broker, log }: PublishingDeps, events: RecordedEvent[]): Promise<Round> {
  const round: Round = { accepted: [], refused: new Set(), failure: null }
  let queues = [...Map.groupBy(events, (event) => event.userId).values()]
  while (queues.length > 0) {
    const share = Math.min(broker.eventsPerUser, Math.max(1, Math.floor(MAX_WAVE / queues.length)))
    const stuck = new Set<string>()
    const wave = queues.flatMap((queue) => writtenOut(queue.splice(0, share), stuck, log))
    try {
      const refusedIds = await publishWave(broker, wave)
      for (const { event } of wave) {
        if (refusedIds.has(event.id)) round.refused.add(event.userId)
        // A copy for another topic may have been refused before this one.
        else if (!round.refused.has(event.userId)) round.accepted.push(event)
      }
      for (const userId of stuck) round.refused.add(userId)
    } catch (cause) {
      // What was accepted before must still be recorded, so this is handed on rather than thrown.
      return { ...round, failure: new Error('the broker did not accept the events', { cause }) }
    }
    queues = queues.filter(([next]) => next && !round.refused.has(next.userId))
  }
  return round
}

/** Up to the first that cannot be written out, as one of a later release: its user waits, nobody else does. */
function writtenOut(events: readonly RecordedEvent[], stuck: Set<string>, log: Deps['log']): Written[] {
  const written: Written[] = []
  for (const event of events) {
    try {
      const update = toTaskUpdate(event)
      const copies = [{ topic: topicOf(event), copy: toCloudEvent(event) }]
      written.push({
        event,
        copies: update ? [...copies, { topic: 'task-updates', copy: update }] : copies,
      })
    } catch (err) {
      log.error(
        { event_id: event.id, type: event.type, err },
        'failed to publish event: it cannot be written out',
      )
      stuck.add(event.userId)
      break
    }
  }
  return written
}

function topicOf({ type }: RecordedEvent): string {
  const definition = definitionOf(type)
  if (!definition) throw new TypeError(`the type ${type} is not known`)
  return definition.topic
}

/** One call per topic, all ended before the next wave. An event is refused when any of its copies is. */
async function publishWave(broker: Deps['broker'], wave: readonly Written[]): Promise<Set<string>> {
  const byTopic = Map.groupBy(
    wave.flatMap(({ copies }) => copies),
    ({ topic }) => topic,
  )
  const calls = await Promise.allSettled(
    [...byTopic].map(([topic, copies]) =>
      broker.publishAll(
        topic,
        copies.map(({ copy }) => copy),
      ),
    ),
  )
  return new Set(
    calls.flatMap((call) => {
      if (call.status === 'rejected') throw call.reason
      return [...call.value]
    }),
  )
}
