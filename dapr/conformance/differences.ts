import type { Place } from './testing/profile.ts'

/** One behaviour in which a sidecar or a component of it is not like the rest, found by a test and accepted. */
export interface Difference {
  /** The question a test asks with `expectedHere`. */
  readonly id: string
  readonly place: Place
  /** What the test finds there instead of the usual. */
  readonly value: unknown
  /** The same in words, for the matrix. */
  readonly observed: string
  readonly reason: string
}

const NO_KAFKA_HEADERS =
  'Redis Streams have no keys, offsets or topics to tell; publish metadata still arrives'

export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'publish.event-numbers',
    place: 'embedded',
    value: false,
    observed: 'numbers beyond 2^53 in a CloudEvent are rounded',
    reason: 'the event passes through JavaScript; Daybook sends no such numbers',
  },
  {
    id: 'publish.nul-key',
    place: 'embedded',
    value:
      '500 ERR_PUBSUB_PUBLISH_MESSAGE [DAPR_PUBSUB_PUBLISH_MESSAGE] error when publishing to topic elsewhere in pubsub pubsub: the partition key contains a NUL',
    observed: 'refused with 500',
    reason: 'a text in PostgreSQL holds no NUL; our keys are user ids',
  },
  {
    id: 'delivery.headers',
    place: 'redis streams',
    value: { __key: null, __topic: null, hasOffset: false, reason: 'tested', pubsubname: 'pubsub' },
    observed: 'no __key, __topic, __offset headers',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'bulk.key-header',
    place: 'redis streams',
    value: null,
    observed: 'no __key header',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'bulk.failed-entries',
    place: 'redis streams',
    value: { status: 204, failed: [], errorCode: null },
    observed: 'no message is refused alone',
    reason: 'Redis Streams know no size limit or forbidden text below the 4 MiB that daprd reads',
  },
]
