import type { Place } from './harness/profile.ts'

/** One behaviour in which a sidecar or a component of it is not like the rest, found by a test and accepted. */
export interface Difference {
  /** The question a test asks with `expectedHere`. */
  readonly id: string
  readonly place: Place
  /** What is asked, and what all others answer, in words for the matrix. */
  readonly asked: string
  readonly usual: string
  /** What the test finds there instead of the usual. */
  readonly value: unknown
  /** The same in words. */
  readonly observed: string
  readonly reason: string
}

const NO_KAFKA_HEADERS =
  'Redis Streams have no keys, offsets or topics to tell; publish metadata still arrives'

export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'publish.event-numbers',
    place: 'embedded',
    asked: 'large numbers in a published CloudEvent',
    usual: 'kept',
    value: false,
    observed: 'numbers beyond 2^53 in a CloudEvent are rounded',
    reason: 'the event passes through JavaScript; Daybook sends no such numbers',
  },
  {
    id: 'publish.nul-key',
    place: 'embedded',
    asked: 'a partition key with a NUL',
    usual: '204',
    value:
      '500 ERR_PUBSUB_PUBLISH_MESSAGE [DAPR_PUBSUB_PUBLISH_MESSAGE] error when publishing to topic elsewhere in pubsub pubsub: the partition key contains a NUL',
    observed: 'refused with 500',
    reason: 'a text in PostgreSQL holds no NUL; our keys are user ids',
  },
  {
    id: 'delivery.headers',
    place: 'redis streams',
    asked: 'headers of a delivery',
    usual: '`__key`, `__topic`, `__offset` and publish metadata',
    value: { __key: null, __topic: null, hasOffset: false, reason: 'tested', pubsubname: 'pubsub' },
    observed: 'no `__key`, `__topic`, `__offset`',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'bulk.key-header',
    place: 'redis streams',
    asked: 'headers of a delivery after a bulk publish',
    usual: '`__key`',
    value: null,
    observed: 'no `__key`',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'bulk.failed-entries',
    place: 'redis streams',
    asked: 'a bulk publish with one entry that the broker refuses',
    usual: '500 with its entryId in failedEntries, the others published',
    value: { status: 204, failed: [], errorCode: null },
    observed: 'no message is refused alone',
    reason: 'Redis Streams know no size limit or forbidden text below the 4 MiB that daprd reads',
  },
  {
    id: 'dead-letter.key',
    place: 'redis streams',
    asked: 'headers of a dead letter',
    usual: 'the key of the message',
    value: null,
    observed: 'no `__key`',
    reason: NO_KAFKA_HEADERS,
  },
  {
    id: 'order.of-a-key',
    place: 'redis streams',
    asked: 'order of messages with one partition key',
    usual: 'first to last',
    value: 'any',
    observed: 'no order, nothing lost',
    reason: 'the component hands messages to ten workers side by side',
  },
  {
    id: 'order.behind-a-retry',
    place: 'redis streams',
    asked: 'messages behind one of their key that is retried',
    usual: 'wait',
    value: false,
    observed: 'later messages of the key overtake',
    reason: 'the component hands messages to ten workers side by side',
  },
  {
    id: 'state.odd-etag',
    place: 'redis state',
    asked: 'saving with a text that is no ETag',
    usual: '409',
    value: 400,
    observed: '400, the value stays',
    reason: 'ETags of Redis are numbers, and what is none is refused before the comparison',
  },
  {
    id: 'state.etag-of-nothing',
    place: 'redis state',
    asked: 'saving with the ETag of a value that was deleted',
    usual: '409',
    value: 204,
    observed: 'the value is created again',
    reason: 'the script of the component compares ETags only where a value is',
  },
  {
    id: 'state.first-write-over-last-write',
    place: 'redis state',
    asked: 'a first write over a value that was saved without that option',
    usual: '500, the value stays',
    value: { status: 204, value: 'after' },
    observed: '204, the earlier value is replaced',
    reason:
      'the component guards only what was itself saved as a first write: save such keys in no other way',
  },
  {
    id: 'state.transaction-rollback',
    place: 'redis state',
    asked: 'a transaction with a stale ETag',
    usual: '500, nothing is applied',
    value: 200,
    observed: 'the operations before and after the failed one stay applied',
    reason: 'MULTI of Redis has no rollback',
  },
  {
    id: 'state.ttl-told',
    place: 'redis state',
    asked: 'reading a value with a time to live',
    usual: 'its end in metadata.ttlExpireTime',
    value: null,
    observed: 'no metadata.ttlExpireTime',
    reason: 'the component does not ask Redis for it',
  },
  {
    id: 'state.ttl-removed',
    place: 'redis state',
    asked: 'saving without a time to live over a value that has one',
    usual: 'the value stays for good',
    value: 204,
    observed: 'the time to live stays and ends the later value as well',
    reason:
      'the component changes the fields of the hash and leaves its expiry: save such keys with ttlInSeconds -1',
  },
  {
    id: 'state.negative-ttl',
    place: 'redis state',
    asked: 'ttlInSeconds below -1',
    usual: '500',
    value: 204,
    observed: '204',
    reason: 'the component takes every number',
  },
  {
    id: 'invoke.forged-caller',
    place: 'daprd',
    asked: 'a caller that sends dapr-caller-app-id itself',
    usual: 'the true caller only',
    value: ['the caller', 'forged'],
    observed: 'the forged name arrives as a second value',
    reason: 'mended in 1.18.6; below it nothing may be decided on dapr-caller-app-id',
  },
  {
    id: 'invoke.retry-policy',
    place: 'embedded',
    asked: 'an answer that the retry policy of the call names',
    usual: 'asked again',
    value: { status: 502, calls: ['{}'] },
    observed: 'no retry',
    reason: 'caller and callee are one process: no network between them fails',
  },
  {
    id: 'metadata.version',
    place: 'embedded',
    asked: 'runtimeVersion',
    usual: '1.18.2',
    value: '1.18.2-embedded',
    observed: '1.18.2-embedded',
    reason: 'so that people can tell which one runs',
  },
  {
    id: 'app-health.call',
    place: 'embedded',
    asked: 'a call to an app that is away',
    usual: 'refused: the app is not healthy',
    value: 'fetch failed',
    observed: 'tried and failed',
    reason: 'app and sidecar are one process and end together; there is no health check between them',
  },
  {
    id: 'app-health.event',
    place: 'embedded',
    asked: 'an event for an app that is away',
    usual: 'waits until it is back',
    value: 'dead letter',
    observed: 'is tried as the policy says, then a dead letter',
    reason: 'app and sidecar are one process and end together; there is no health check between them',
  },
  {
    id: 'app-health.job',
    place: 'embedded',
    asked: 'a job that falls due for an app that is away',
    usual: 'waits until it is back',
    value: 'lost',
    observed: 'is tried as the failure policy says, then gone',
    reason: 'app and sidecar are one process and end together; there is no health check between them',
  },
  {
    id: 'app-health.redelivery',
    place: 'redis streams',
    asked: 'the first event for an app that is away',
    usual: 'delivered as soon as it is back',
    value: 2500,
    observed: 'delivered after `processingTimeout`',
    reason: 'the reader of the ended subscription still takes it and keeps it until then',
  },
]
