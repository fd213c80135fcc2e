import type { Message, NewMessage, Topic } from './broker.ts'
import type { SidecarContext } from './context.ts'
import { deliveryHeaders, type Outcome } from './deliver.ts'
import { drained } from './drain.ts'
import { createProgressLog, type Entry } from './progress-log.ts'
import { readParked, type GroupTopic, type ParkedLane } from './progress.ts'
import { retryDelay } from './resiliency.ts'
import type { Subscription } from './subscriptions.ts'
import { createWorkQueue } from './work-queue.ts'

/** The deliveries of one topic to one app, for as long as this sidecar owns them. */
export interface DeliverySession {
  /** Reads and delivers what is new. */
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

/** Messages waiting for their first try, one after the other: those of one key, or all of a bulk subscription. */
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
  let state: 'open' | 'draining' | 'lost' = 'open'

  const isRunning = () => state === 'open' && !context.isPaused()
  const queue = createWorkQueue({
    concurrency: CONCURRENCY,
    mayRun: isRunning,
    onError: (error) => context.logger.error({ topic: topic.name, err: error }, 'deliveries interrupted'),
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
    const id = bulk ? 'bulk' : laneOf(message)
    const lane = fresh.get(id) ?? { id, entries: [], isBusy: false }
    fresh.set(id, lane)
    lane.entries.push(entry)
    enqueueFresh(lane)
  }

  function enqueueFresh(lane: FreshLane): void {
    if (lane.isBusy) return
    lane.isBusy = true
    queue.add(async () => {
      try {
        await deliverFresh(lane)
      } finally {
        lane.isBusy = false
        if (lane.entries.length === 0) fresh.delete(lane.id)
        else if (state === 'open') enqueueFresh(lane)
      }
    })
  }

  async function deliverFresh(lane: FreshLane): Promise<void> {
    while (lane.entries.length > 0 && isRunning()) {
      if (bulk && lane.entries.length < bulk.maxMessages)
        await context.delay(bulk.maxAwaitMs, timers.signal).catch(noop)
      const batch = lane.entries.splice(0, bulk ? bulk.maxMessages : 1)
      const outcomes = await deliver(batch.map(({ message }) => message))
      if (state === 'lost') return
      for (const [index, entry] of batch.entries()) settle(lane, entry, outcomes[index] ?? 'retry')
    }
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
        context.logger.error({ topic: topic.name, err: error }, 'cannot retry messages')
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
      context.logger.error({ topic: topic.name, err: error }, 'cannot read messages')
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
