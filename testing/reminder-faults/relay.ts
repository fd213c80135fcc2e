import { toCloudEvent } from '../../shared/domain/cloud-event.ts'
import { definitionOf } from '../../shared/domain/events.ts'
import type { ReminderWorld } from './world.ts'

/**
 * Brings events from where they were committed to the topics, each user's in order. It stands for the publisher, whose
 * own faults have schedules in testing/faults.
 */
export interface Relay {
  readonly hasMore: boolean
  /** The events of some commits; all there are when `all`. */
  publish(all: boolean): void
}

export function createRelay(world: ReminderWorld): Relay {
  const { journal, topics, random } = world
  const sequences = new Map<string, number>()
  let place = 0
  return {
    get hasMore() {
      return place < journal.entries.length
    },
    publish: (all) => {
      const end = all ? journal.entries.length : place + 1 + random.below(journal.entries.length - place)
      for (; place < end; place += 1) {
        const entry = journal.entries[place]!
        if (entry.kind !== 'change') continue
        const { userId, events } = entry.change
        for (const event of events) {
          const sequence = (sequences.get(userId) ?? 0) + 1
          sequences.set(userId, sequence)
          topics.accept(definitionOf(event.type)!.topic, toCloudEvent({ ...event, userId, sequence }))
        }
      }
    },
  }
}
