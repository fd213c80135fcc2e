import type { Message, NewMessage, Topic } from './broker.ts'
import type { SidecarContext } from '../context.ts'
import { deliveryHeaders, type Outcome } from './deliver.ts'
import { drained } from './drain.ts'
import { createProgressLog, type Entry } from './progress-log.ts'
import { readParked, type GroupTopic, type ParkedLane } from './progress.ts'
import { retryDelay } from '../resiliency.ts'
import type { Subscription } from './subscriptions.ts'
import { createWorkQueue } from './work-queue.ts'

/** The deliveries of one topic to one app, for as long as this sidecar owns them. */
export interface DeliverySession {
  wake(): void
  /** Ends the deliveries under way and writes down how far they came. */
  drain(): Promise<void>
  /** Resolves when all that is published is delivered, or waits for its retry. */
  idle(): Promise<void>
  /** Another sidecar delivers now: nothing more is sent or written. */
  discard(): void
}

export interface SessionOptions {
  readonly subscription: Subscription
  readonly topic: Topic
  readonly deadLetterTopic: Topic | null
  readonly group: GroupTopic
  readonly startAt: number
  readonly parkedLanes: readonly ParkedLane[]
  /** Takes messages in order and answers what became of each. */
  readonly deliver: (messages: readonly Message[]) => Promise<readonly Outcome[]>
  readonly onLost: () => void
}

/** Messages of one key that wait for their first try, one after the other or together in a bulk. */
interface FreshLane {
  readonly id: string
  entries: Entry[]
  isBusy: boolean
}

interface Wait {
  readonly ms: number
  readonly failures: number
}

const CONCURRENCY = 16
/** What comes while these are under way goes out together. */
const BULKS_AT_ONCE = 4
const WINDOW = 1000
const READ_LIMIT = 250
const PARKED_LIMIT = 50
const AFTER_ERROR_MS = 1000
// Kafka's component tries again after 5 s, for ever, when there is neither a policy left nor a dead letter topic.
const REDELIVER_MS = 5000

const noop = (): void => {}
const laneOf = ({ key, offset }: Message): string => (key === null ? `#${offset}` : `key ${key}`)

export function createDeliverySession(context: SidecarContext, options: SessionOptions): DeliverySession {
  const { subscription, topic, group, deliver } = options
  const { bulk } = subscription
  const { retry } = context.resources.resiliency.inbound(subscription.pubsub)
  const fresh = new Map<string, FreshLane>()
  // A lane is here from its first failure until none of its messages is left in the database.
  const parked = new Map<string, { count: number }>()
  const timers = new AbortController()
  let position = options.startAt
  let isReading = false
  let readAgain = false
  let bulks = 0
  let isBulkDue = false
  let state: 'open' | 'draining' | 'lost' = 'open'

  const isRunning = () => state === 'open' && !context.isPaused()
  const queue = createWorkQueue({
    concurrency: CONCURRENCY,
    mayRun: isRunning,
    onError: (error) =>
      context.logger.error({ topic: topic.name, err: error }, 'failed to continue deliveries'),
  })
  const log = createProgressLog(context, group, {
    startAt: options.startAt,
    deadLetterTopicId: options.deadLetterTopic?.id ?? null,
    events: {
      onSaved() {
        if (readAgain) read()
        queue.pump()
      },
      onLost() {
        lose()
        options.onLost()
      },
    },
  })
  const isAtRest = () => queue.isAtRest() && !isReading
  const isQuiet = () => isAtRest() && (queue.isEmpty() || !isRunning()) && log.isSaved()

  function accept(message: Message): void {
    const entry = log.add(message)
    const blocked = parked.get(laneOf(message))
    if (blocked) return parkBehind(blocked, [entry])
    const id = laneOf(message)
    const lane = fresh.get(id) ?? { id, entries: [], isBusy: false }
    fresh.set(id, lane)
    lane.entries.push(entry)
    enqueueFresh(lane)
  }

  function enqueueFresh(lane: FreshLane): void {
    if (bulk) return enqueueBulk(bulk.maxMessages)
    if (lane.isBusy) return
    lane.isBusy = true
    queue.add(async () => {
      try {
        while (lane.entries.length > 0 && isRunning()) await deliverFresh([[lane, lane.entries.splice(0, 1)]])
      } finally {
        letGo(lane)
      }
    })
  }

  /** Of the lanes that are not under way already, so that a slow key holds back only those that went out with it. */
  function enqueueBulk(maxMessages: number): void {
    if (isBulkDue || bulks >= BULKS_AT_ONCE) return
    isBulkDue = true
    queue.add(async () => {
      // Yields first, so that what is read together goes out together.
      await Promise.resolve()
      isBulkDue = false
      const bulk: [FreshLane, Entry[]][] = []
      let room = maxMessages
      for (const lane of fresh.values()) {
        if (lane.isBusy || room === 0) continue
        lane.isBusy = true
        const entries = lane.entries.splice(0, room)
        room -= entries.length
        bulk.push([lane, entries])
      }
      if (bulk.length === 0) return
      bulks += 1
      if (room === 0) enqueueBulk(maxMessages)
      try {
        await deliverFresh(bulk)
      } finally {
        bulks -= 1
        for (const [lane] of bulk) letGo(lane)
        if (state === 'open' && fresh.size > 0) enqueueBulk(maxMessages)
      }
    })
  }

  function letGo(lane: FreshLane): void {
    lane.isBusy = false
    if (lane.entries.length === 0) fresh.delete(lane.id)
    else if (state === 'open') enqueueFresh(lane)
  }

  async function deliverFresh(lanes: readonly (readonly [FreshLane, readonly Entry[]])[]): Promise<void> {
    const batch = lanes.flatMap(([lane, entries]) => entries.map((entry) => ({ lane, entry })))
    const outcomes = await deliver(batch.map(({ entry }) => entry.message))
    if (state === 'lost') return
    for (const [index, { lane, entry }] of batch.entries()) settle(lane, entry, outcomes[index] ?? 'retry')
  }

  function settle(lane: FreshLane, entry: Entry, outcome: Outcome): void {
    const id = laneOf(entry.message)
    const blocked = parked.get(id)
    if (blocked && outcome !== 'done') return parkBehind(blocked, [entry])
    const wait = decide(entry.message, outcome, 0)
    if (wait === null) return log.done(entry)
    const failed = { count: 1 }
    parked.set(id, failed)
    log.park(entry, { lane: id, failures: wait.failures, retryAt: instantAfter(wait.ms) })
    const behind = lane.entries.filter(({ message }) => laneOf(message) === id)
    lane.entries = lane.entries.filter(({ message }) => laneOf(message) !== id)
    parkBehind(failed, behind)
    retryLater(id, wait.ms)
  }

  function parkBehind(lane: { count: number }, entries: readonly Entry[]): void {
    for (const entry of entries) log.park(entry, { lane: laneOf(entry.message), failures: 0, retryAt: null })
    lane.count += entries.length
  }

  async function deliverParked(id: string): Promise<void> {
    const lane = parked.get(id)!
    while (lane.count > 0) {
      await log.save()
      const rows = await readParked(context.sql, group, id, PARKED_LIMIT)
      if (rows.length === 0) break
      for (const { message, failures } of rows) {
        if (!isRunning()) return retryLater(id, 0)
        const [outcome] = await deliver([message])
        if (state === 'lost') return
        const wait = decide(message, outcome ?? 'retry', failures)
        if (wait !== null) {
          log.postpone(message, { lane: id, failures: wait.failures, retryAt: instantAfter(wait.ms) })
          return retryLater(id, wait.ms)
        }
        log.unpark(message)
        lane.count -= 1
      }
    }
    parked.delete(id)
  }

  function retryLater(id: string, ms: number): void {
    const run = () =>
      deliverParked(id).catch((error: unknown) => {
        context.logger.error({ topic: topic.name, err: error }, 'failed to retry messages')
        retryLater(id, AFTER_ERROR_MS)
      })
    context.delay(ms, timers.signal).then(() => queue.add(run), noop)
  }

  /** Null when the message is finished with, if need be as a dead letter. */
  function decide(message: Message, outcome: Outcome, failedBefore: number): Wait | null {
    if (outcome === 'done') return null
    const failures = failedBefore + 1
    const ms = outcome === 'retry' ? retryDelay(retry, failures, context.random()) : null
    if (ms !== null) return { ms, failures }
    if (options.deadLetterTopic !== null) log.deadLetter(deadLetter(topic, message))
    else if (outcome === 'retry') return { ms: REDELIVER_MS, failures: 0 }
    return null
  }

  const instantAfter = (ms: number) => new Date(context.clock.now().getTime() + ms)

  function lose(): void {
    state = 'lost'
    timers.abort()
    log.discard()
    queue.pump()
  }

  function read(): void {
    readAgain = true
    if (isReading || !isRunning()) return
    isReading = true
    void readAll().finally(queue.pump)
  }

  async function readAll(): Promise<void> {
    try {
      while (readAgain && isRunning() && log.size() < WINDOW) {
        const limit = Math.min(READ_LIMIT, WINDOW - log.size())
        readAgain = false
        const messages = await context.broker.read(topic, position, limit)
        if (state !== 'open') return
        for (const message of messages) accept(message)
        position = (messages.at(-1)?.offset ?? position - 1) + 1
        if (messages.length === limit) readAgain = true
      }
    } catch (error) {
      context.logger.error({ topic: topic.name, err: error }, 'failed to read messages')
    } finally {
      // In one step with the last look at `readAgain`: a wake in between would be for nothing.
      isReading = false
    }
  }

  for (const { lane, count, retryAt } of options.parkedLanes) {
    parked.set(lane, { count })
    retryLater(lane, Math.max(0, retryAt.getTime() - context.clock.now().getTime()))
  }

  return {
    wake() {
      queue.pump()
      read()
    },
    async drain() {
      if (state === 'open') state = 'draining'
      timers.abort()
      await drained(context, queue.waitUntil(isAtRest))
      await log.close()
    },
    discard: lose,
    async idle() {
      while (isRunning()) {
        read()
        await queue.waitUntil(isQuiet)
        if (isQuiet() && (await context.broker.read(topic, position, 1)).length === 0) return
      }
    },
  }
}

function deadLetter(topic: Topic, message: Message): NewMessage {
  return {
    key: message.key,
    headers: deliveryHeaders(topic, message),
    body: message.body,
    isRaw: message.isRaw,
  }
}
