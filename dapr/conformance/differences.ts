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
  {
    id: 'dead-letter.key',
    place: 'redis streams',
    value: null,
    observed: 'no __key header',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'order.of-a-key',
    place: 'redis streams',
    value: 'any',
    observed: 'no order, nothing lost',
    reason: 'the component hands messages to ten workers side by side',
  },
  {
    id: 'order.behind-a-retry',
    place: 'redis streams',
    value: false,
    observed: 'later messages of the key overtake',
    reason: 'the component hands messages to ten workers side by side',
  },
  {
    id: 'state.odd-etag',
    place: 'redis state',
    value: 400,
    observed: '400, the value stays',
    reason: 'ETags of Redis are numbers, and what is none is refused before the comparison',
  },
  {
    id: 'state.etag-of-nothing',
    place: 'redis state',
    value: 204,
    observed: 'the value is created again',
    reason: 'the script of the component compares ETags only where a value is',
  },
  {
    id: 'state.first-write-over-last-write',
    place: 'redis state',
    value: { status: 204, value: 'after' },
    observed: '204, the earlier value is replaced',
    reason:
      'the component guards only what was itself saved as a first write: save such keys in no other way',
  },
  {
    id: 'state.transaction-rollback',
    place: 'redis state',
    value: 200,
    observed: 'the operations before and after the failed one stay applied',
    reason: 'MULTI of Redis has no rollback',
  },
  {
    id: 'state.ttl-told',
    place: 'redis state',
    value: null,
    observed: 'no metadata.ttlExpireTime',
    reason: 'the component does not ask Redis for it',
  },
  {
    id: 'state.ttl-removed',
    place: 'redis state',
    value: 204,
    observed: 'the time to live stays and ends the later value as well',
    reason:
      'the component changes the fields of the hash and leaves its expiry: save such keys with ttlInSeconds -1',
  },
  {
    id: 'state.negative-ttl',
    place: 'redis state',
    value: 204,
    observed: '204',
    reason: 'the component takes every number',
  },
  {
    id: 'invoke.forged-caller',
    place: 'daprd',
    value: ['the caller', 'forged'],
    observed: 'the forged name arrives as a second value',
    reason: 'mended in 1.18.6; below it nothing may be decided on dapr-caller-app-id',
  },
  {
    id: 'invoke.retry-policy',
    place: 'embedded',
    value: { status: 502, calls: ['{}'] },
    observed: 'no retry',
    reason: 'caller and callee are one process: no network between them fails',
  },
  {
    id: 'mail.forgets',
    place: 'daprd',
    value: 204,
    observed: 'the mail goes to the recipient of the request before',
    reason:
      'the component keeps the metadata of a request: name every field in every request, one request at a time',
  },
  {
    id: 'metadata.version',
    place: 'embedded',
    value: '1.18.2-embedded',
    observed: '1.18.2-embedded',
    reason: 'so that people can tell which one runs',
  },
]
