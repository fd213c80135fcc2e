import type { Capability, DepsOf } from '../app/capabilities.ts'
import type { Change, CommitResult, Deps } from '../app/ports.ts'
import type { MadeBy, TraceContext } from '../domain/actor.ts'
import type { CloudEvent } from '../domain/cloud-event.ts'
import type { EventData, Topic } from '../domain/event-definition.ts'
import type { AnyEvent } from '../domain/events.ts'
import { continueTrace } from './trace-context.ts'
import { ownNameOf } from './units.ts'

/** An event with the data of its type: naming the type tells what is in the data. */
type EventOf<E extends AnyEvent> = E extends AnyEvent
  ? CloudEvent & { type: E['type']; data: EventData<E> }
  : never

/** What a consumer gets: the event, already checked against the catalogue, and the only way to write its effect. */
interface Delivery<E extends AnyEvent, Uses extends readonly Capability[]> {
  event: EventOf<E>
  /** Commits an effect together with this consumer's dedupe mark: the second delivery gets `already_processed`. */
  commit: (change: Omit<Change, 'processed'>) => Promise<CommitResult>
  trace: TraceContext
  /** For the events of what it does. */
  madeBy: MadeBy
  deps: DepsOf<Uses>
}

interface TopicSpec<E extends AnyEvent, Uses extends readonly Capability[]> {
  on: readonly E[]
  uses: Uses
  /**
   * Rows are all its effect. Then events come many at a time and are decided side by side, while what it commits is
   * committed together, in their order (shared/kit/topics/in-order.ts).
   */
  onlyCommits?: boolean
  handle: (delivery: Delivery<E, Uses>) => Promise<unknown>
}

type Commit = (change: Change) => Promise<CommitResult>

export interface TopicFunction {
  kind: 'topic'
  /** `<service>/<function>`, given by the loader. Its second half names the effect in dedupe marks and dead letters. */
  name: string
  uses: readonly Capability[]
  topics: readonly Topic[]
  onlyCommits: boolean
  wants(type: string): boolean
  deliver(event: CloudEvent, deps: Deps, commit?: Commit): Promise<void>
  /** Of a function that takes messages instead of events; its topic is nobody else's in the process. */
  take?: (message: RawMessage, deps: Deps) => Promise<void>
}

/**
 * One effect of one or more event types. `handle` returns when the effect is done or was done before; it throws
 * PermanentError when no retry can help, anything else to be called again (at-least-once delivery).
 */
export function topicFunction<E extends AnyEvent, const Uses extends readonly Capability[]>(
  spec: TopicSpec<E, Uses>,
): TopicFunction {
  const self: TopicFunction = {
    kind: 'topic',
    name: '',
    uses: spec.uses,
    topics: [...new Set(spec.on.map((definition) => definition.topic))],
    wants: (type) => spec.on.some((definition) => definition.type === type),
    onlyCommits: spec.onlyCommits ?? false,
    deliver: async (event, deps, commit = deps.changes.commit) => {
      const processed = { consumer: ownNameOf(self), eventId: event.id }
      await spec.handle({
        event: event as EventOf<E>,
        commit: (change) => commit({ ...change, processed }),
        madeBy: `consumer/${ownNameOf(self)}`,
        trace: continueTrace(event.traceparent, event.tracestate, deps.ids),
        deps,
      })
    },
  }
  return self
}

/** A message as it lies in the broker, which need not be an event. */
export interface RawMessage {
  body: Buffer<ArrayBuffer>
  /** See content-id.ts. */
  contentId: string
}

/**
 * One effect of whatever comes to a topic, readable or not. `take` returns when the effect is done or was done before;
 * when it throws it is called again, and nothing is ever moved to the dead letters: it is what keeps those.
 */
export function rawTopicFunction<const Uses extends readonly Capability[]>(spec: {
  topic: Topic
  uses: Uses
  take: (message: RawMessage, deps: DepsOf<Uses>) => Promise<void>
}): TopicFunction {
  return {
    kind: 'topic',
    name: '',
    uses: spec.uses,
    topics: [spec.topic],
    take: spec.take,
    onlyCommits: false,
    wants: () => false,
    deliver: () => Promise.reject(new TypeError('this function takes messages, not events')),
  }
}
