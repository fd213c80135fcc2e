import type { TraceContext } from './actor.ts'
import type { EventData } from './event-definition.ts'
import type { AnyEvent, EventType } from './events.ts'

/** An event before the database gives it its place in the owner's sequence. */
export interface EventDraft {
  id: string
  type: EventType
  dataversion: string
  source: string
  subject: string
  time: Date
  data: unknown
  trace: TraceContext | null
}

/** Checks `data` against the catalogue, so that an event without a schema can never reach the database. */
export function draftEvent<E extends AnyEvent>(
  definition: E,
  event: { id: string; subject: string; time: Date; data: EventData<E>; trace: TraceContext | null },
): EventDraft {
  return {
    ...event,
    type: definition.type,
    dataversion: definition.version,
    source: definition.source,
    data: definition.data.parse(event.data),
  }
}
