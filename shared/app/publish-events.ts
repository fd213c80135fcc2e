import { toCloudEvent, toTaskUpdate, type CloudEvent, type RecordedEvent } from '../domain/cloud-event.ts'
import { definitionOf } from '../domain/events.ts'
import type { Deps } from './ports.ts'

/** How much one round claims: many users side by side, each in order. */
const ROUND = { users: 200, events: 1000 }

type PublishingDeps = Pick<Deps, 'outbox' | 'broker' | 'log'>

/**
 * Publishes what is waiting, round by round. Resolves to whether something is left that another publisher holds.
 * Throws when the broker did not take everything.
 */
export async function publishPending(deps: PublishingDeps): Promise<boolean> {
  for (;;) {
    const { claimed, sent, left } = await deps.outbox.drain(ROUND, (events) => publishInOrder(deps, events))
    if (sent < claimed) throw new Error(`the broker accepted ${sent} of ${claimed} events`)
    if (!left) return false
    if (claimed === 0) return true
  }
}

/**
 * Publishes events that arrive grouped by user and in sequence. Each wave holds one event of every user, so that an
 * event goes out only after its predecessor was accepted; a user whose event is refused stops there. Resolves to the
 * events that were accepted.
 */
async function publishInOrder(
  { broker, log }: PublishingDeps,
  events: RecordedEvent[],
): Promise<RecordedEvent[]> {
  const accepted: RecordedEvent[] = []
  let queues = [...Map.groupBy(events, (event) => event.userId).values()]
  for (let place = 0; queues.length > 0; place += 1) {
    const wave = queues.map((queue) => queue[place]!)
    try {
      const refused = await publishWave(broker, wave)
      accepted.push(...wave.filter((event) => !refused.has(event.id)))
      queues = queues.filter((queue) => place + 1 < queue.length && !refused.has(queue[place]!.id))
    } catch (err) {
      // What was accepted before must still be recorded; the rest stays in the outbox for the next round.
      log.warn({ err, waiting: events.length - accepted.length }, 'publishing failed; the events stay queued')
      return accepted
    }
  }
  return accepted
}

/** One call per topic; task changes go to task-updates too. An event is refused when any of its copies is. */
async function publishWave(broker: Deps['broker'], wave: RecordedEvent[]): Promise<Set<string>> {
  const byTopic = new Map<string, CloudEvent[]>()
  const add = (topic: string, event: CloudEvent) => byTopic.set(topic, [...(byTopic.get(topic) ?? []), event])
  for (const event of wave) {
    add(definitionOf(event.type)!.topic, toCloudEvent(event))
    const update = toTaskUpdate(event)
    if (update) add('task-updates', update)
  }
  const calls = [...byTopic].map(([topic, events]) => broker.publishAll(topic, events))
  const refused = await Promise.all(calls)
  return new Set(refused.flatMap((ids) => [...ids]))
}
