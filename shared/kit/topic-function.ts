import type { Hono } from 'hono'
import type { Change, CommitResult, DedupeMark, Deps } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'
import type { CloudEvent } from '../domain/cloud-event.ts'
import type { AnyEvent, EventData, Topic } from '../domain/events.ts'
import { problemApp, type AppEnv } from './base-app.ts'
import { mountTopics } from './subscriptions.ts'
import { continueTrace } from './trace-context.ts'

/** What a consumer gets: the event, already checked against the catalogue, and the only way to write its effect. */
export interface Delivery<E extends AnyEvent> {
  event: CloudEvent & { type: E['type']; data: EventData<E> }
  /** This consumer's, for this event. */
  mark: DedupeMark
  /** Commits an effect together with this consumer's dedupe mark: the second delivery gets `already_processed`. */
  commit: (change: Omit<Change, 'processed'>) => Promise<CommitResult>
  trace: TraceContext
  deps: Deps
}

export interface TopicSpec<E extends AnyEvent> {
  /** Name of the effect and of its dedupe marks; the file's basename. */
  consumer: string
  on: readonly E[]
  handle: (delivery: Delivery<E>) => Promise<void>
}

export interface TopicFunction {
  kind: 'topic'
  consumer: string
  topics: readonly Topic[]
  wants(type: string): boolean
  deliver(event: CloudEvent, deps: Deps): Promise<void>
  /** Of a function that takes messages instead of events; its topic is nobody else's in the process. */
  take?: (message: RawMessage, deps: Deps) => Promise<void>
  createApp(deps: Deps): Hono<AppEnv>
}

/**
 * One effect of one or more event types. `handle` returns when the effect is done or was done before; it throws
 * PermanentError when no retry can help, anything else to be called again (at-least-once delivery).
 */
export function topicFunction<E extends AnyEvent>(spec: TopicSpec<E>): TopicFunction {
  const self: TopicFunction = {
    kind: 'topic',
    consumer: spec.consumer,
    topics: [...new Set(spec.on.map((definition) => definition.topic))],
    wants: (type) => spec.on.some((definition) => definition.type === type),
    deliver: (event, deps) => {
      const mark = { consumer: spec.consumer, eventId: event.id }
      return spec.handle({
        ...{ event: event as Delivery<E>['event'], mark, deps },
        commit: (change) => deps.changes.commit({ ...change, processed: mark }),
        trace: continueTrace(event.traceparent, event.tracestate, deps.ids),
      })
    },
    createApp: (deps) => {
      const app = problemApp(deps)
      mountTopics(app, [self], deps)
      return app
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
export function rawTopicFunction(spec: {
  consumer: string
  topic: Topic
  take: NonNullable<TopicFunction['take']>
}): TopicFunction {
  const self: TopicFunction = {
    ...{ kind: 'topic', consumer: spec.consumer, topics: [spec.topic], take: spec.take },
    wants: () => false,
    deliver: () => Promise.reject(new TypeError(`${spec.consumer} takes messages, not events`)),
    createApp: (deps) => {
      const app = problemApp(deps)
      mountTopics(app, [self], deps)
      return app
    },
  }
  return self
}
