import { afterEach, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../../domain/cloud-event.ts'
import { createChangeStore } from '../../db/changes/change-store.ts'
import { createOutbox } from '../../db/outbox/outbox.ts'
import { systemIds } from '../../kit/system.ts'
import { aChange, NOON } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import type { Broker, Outbox } from './ports.ts'
import { publishPending } from './publish-events.ts'
import { silentLogger } from '../../observability/logger.ts'
import { createPublisher, type Publisher } from './publisher.ts'

const sql = await testDatabase()
const changes = createChangeStore(sql)

const started: Publisher[] = []
// One that is still at work would take the events of the next test.
afterEach(() => Promise.all(started.splice(0).map((publisher) => publisher.stop())))

interface Timer {
  ms: number
  work: () => void
}

/** A publisher on PostgreSQL whose broker and timers are the test's. */
function publisher(over: { outbox?: Outbox } = {}) {
  const accepted: CloudEvent[] = []
  const timers: Timer[] = []
  const state = {
    calls: 0,
    isAway: false,
    refused: new Set<string>(),
    /** Set to make calls wait. */
    gate: Promise.resolve(),
    now: NOON,
  }
  const broker: Broker = {
    eventsPerUser: 1,
    publishAll: async (topic, events) => {
      state.calls += 1
      await state.gate
      if (state.isAway) throw new Error('connection refused')
      const taken = events.filter((event) => !state.refused.has(event.userid))
      if (topic === 'task-events') accepted.push(...taken)
      return new Set(events.filter((event) => !taken.includes(event)).map(({ id }) => id))
    },
  }
  const warnings: string[] = []
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_: object, message: string) => void warnings.push(message),
    error: () => {},
  }
  const deps = { outbox: createOutbox(sql), broker, log, clock: { now: () => state.now }, ...over }
  const subject = createPublisher(deps, (work, ms) => {
    const timer = { ms, work }
    timers.push(timer)
    return () => void timers.splice(timers.indexOf(timer), 1)
  })
  started.push(subject)
  return {
    subject,
    state,
    timers,
    warnings,
    sequences: (userId: string) =>
      accepted.filter((event) => event.userid === userId).map((event) => Number(event.sequence)),
    /** The one timer that runs goes off. */
    passes: (): number => {
      expect(timers).toHaveLength(1)
      const [timer] = timers.splice(0)
      timer!.work()
      return timer!.ms
    },
  }
}

/** Some user's next event, not published yet. */
async function write(userId: string): Promise<string> {
  expect(await changes.commit(aChange(userId))).toMatchObject({ outcome: 'applied' })
  return userId
}

const waitUntil = (check: () => unknown) => expect.poll(check, { interval: 5, timeout: 5000 })

describe('the publisher', () => {
  it('publishes what commits wake it for, in order', async () => {
    const { subject, sequences } = publisher()
    const userId = systemIds.uuid()
    for (let nth = 1; nth <= 3; nth += 1) {
      await write(userId)
      subject.wake()
    }
    await waitUntil(() => sequences(userId)).toEqual([1, 2, 3])
    expect(subject.state()).toEqual({ status: 'available', since: NOON })
  })

  it('takes what is written while it publishes, when that wakes it', async () => {
    const { subject, sequences, state } = publisher()
    const userId = await write(systemIds.uuid())
    const { promise, resolve } = Promise.withResolvers<void>()
    state.gate = promise
    subject.wake()
    await waitUntil(() => state.calls).toBe(1)
    await write(userId)
    subject.wake()
    resolve()
    await waitUntil(() => sequences(userId)).toEqual([1, 2])
    expect(state.calls).toBe(2)
  })

  it.each([
    [7, 21],
    [400, 100],
  ])(
    'rests after a run of %i ms for %i ms, and then takes what was written since',
    async (tookMs, restMs) => {
      const { subject, sequences, state, passes, timers } = publisher()
      const userId = await write(systemIds.uuid())
      const { promise, resolve } = Promise.withResolvers<void>()
      state.gate = promise
      subject.wake()
      await waitUntil(() => state.calls).toBe(1)
      state.now = new Date(NOON.getTime() + tookMs)
      resolve()
      await waitUntil(() => timers).toHaveLength(1)
      for (let nth = 2; nth <= 4; nth += 1) {
        await write(userId)
        subject.wake()
      }
      expect(sequences(userId)).toEqual([1])
      expect(passes()).toBe(restMs)
      await waitUntil(() => sequences(userId)).toEqual([1, 2, 3, 4])
    },
  )

  it('gives everybody a round, also behind users who always have something', async () => {
    const [busy, other] = [systemIds.uuid(), systemIds.uuid()].toSorted() as [string, string]
    await changes.commit(aChange(other))
    const outbox = createOutbox(sql)
    const served: string[] = []
    for (let round = 1; round <= 2; round += 1) {
      await changes.commit(aChange(busy))
      await outbox.drain({ users: 1, events: 20, eventsPerUser: 20, without: [] }, async (events) => {
        served.push(...events.map(({ userId }) => userId))
        return events
      })
    }
    expect(served).toEqual([busy, other])
    await outbox.drain({ users: 1, events: 20, eventsPerUser: 20, without: [] }, async (events) => events)
  })

  it('publishes the first event of everybody before the second of anybody', async () => {
    const [crowd, other] = [systemIds.uuid(), systemIds.uuid()].toSorted() as [string, string]
    for (let n = 0; n < 60; n += 1) await changes.commit(aChange(crowd))
    await changes.commit(aChange(other))
    const calls: string[][] = []
    const broker: Broker = {
      eventsPerUser: 1,
      publishAll: async (_, events) => {
        calls.push(events.map(({ userid }) => userid))
        return new Set()
      },
    }
    await publishPending({
      outbox: createOutbox(sql),
      broker,
      log: silentLogger,
    })
    expect(calls.filter((users) => users.includes(crowd)).length).toBeGreaterThanOrEqual(60)
    expect(calls.findIndex((users) => users.includes(other))).toBe(0)
  })

  it('does not rest before it stops', async () => {
    const { subject, sequences, state, timers } = publisher()
    const userId = await write(systemIds.uuid())
    const { promise, resolve } = Promise.withResolvers<void>()
    state.gate = promise
    subject.wake()
    await waitUntil(() => state.calls).toBe(1)
    state.now = new Date(NOON.getTime() + 10)
    resolve()
    await waitUntil(() => timers).toHaveLength(1)
    await write(userId)
    await subject.stop()
    expect(sequences(userId)).toEqual([1, 2])
    expect(timers).toEqual([])
  })

  it('lets writes go on at once while a call to the broker hangs', async () => {
    const { subject, state, sequences } = publisher()
    const userId = await write(systemIds.uuid())
    const { promise, resolve } = Promise.withResolvers<void>()
    state.gate = promise
    subject.wake()
    await waitUntil(() => state.calls).toBe(1)
    for (let nth = 2; nth <= 20; nth += 1) {
      await write(userId)
      subject.wake()
    }
    expect(sequences(userId)).toEqual([])
    resolve()
    await waitUntil(() => sequences(userId)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('says queued while the broker is away, asks it ever more seldom whatever wakes it, and goes on when it is back', async () => {
    const { subject, state, sequences, passes, timers, warnings } = publisher()
    const userId = await write(systemIds.uuid())
    state.isAway = true
    state.now = new Date('2026-03-02T12:30:00Z')
    subject.wake()
    await waitUntil(() => subject.state()).toEqual({ status: 'queued', since: state.now })
    const since = state.now
    const pauses: number[] = []
    for (let nth = 1; nth <= 7; nth += 1) {
      const { calls } = state
      await write(userId)
      subject.wake()
      expect(timers).toHaveLength(1)
      expect(state.calls).toBe(calls)
      state.now = new Date(state.now.getTime() + 1000)
      pauses.push(passes())
      await waitUntil(() => timers.length).toBe(1)
      expect(state.calls).toBeGreaterThan(calls)
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    expect(subject.state()).toEqual({ status: 'queued', since })
    expect(warnings).toHaveLength(1)

    state.isAway = false
    passes()
    await waitUntil(() => subject.state().status).toBe('available')
    expect(sequences(userId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(timers).toEqual([])
    await write(userId)
    subject.wake()
    await waitUntil(() => sequences(userId)).toHaveLength(9)
  })

  it('goes on with other users at once while the events of one are refused, and tries those again', async () => {
    const { subject, state, sequences, passes, timers } = publisher()
    const [stuck, other] = [await write(systemIds.uuid()), systemIds.uuid()]
    state.refused.add(stuck)
    subject.wake()
    await waitUntil(() => subject.state().status).toBe('queued')
    expect(timers).toHaveLength(1)
    for (let nth = 1; nth <= 3; nth += 1) {
      await write(other)
      await write(stuck)
      subject.wake()
      await waitUntil(() => sequences(other)).toHaveLength(nth)
    }
    expect(sequences(stuck)).toEqual([])
    expect(passes()).toBe(500)
    await waitUntil(() => timers.map(({ ms }) => ms)).toEqual([1000])
    state.refused.clear()
    passes()
    await waitUntil(() => sequences(stuck)).toEqual([1, 2, 3, 4])
    await waitUntil(() => subject.state().status).toBe('available')
  })

  it('looks again soon when another publisher holds a user, and does not wait for that with the others', async () => {
    const [first, second] = [publisher(), publisher()]
    const [held, other] = [await write(systemIds.uuid()), systemIds.uuid()]
    const { promise, resolve } = Promise.withResolvers<void>()
    first.state.gate = promise
    first.subject.wake()
    await waitUntil(() => first.state.calls).toBe(1)
    await write(held)
    await write(other)
    second.subject.wake()
    await waitUntil(() => second.sequences(other)).toEqual([1])
    await waitUntil(() => second.timers.map(({ ms }) => ms)).toEqual([200])
    await write(other)
    second.subject.wake()
    await waitUntil(() => second.sequences(other)).toEqual([1, 2])
    expect(second.sequences(held)).toEqual([])
    expect(second.subject.state().status).toBe('available')
    resolve()
    await waitUntil(() => first.sequences(held)).toEqual([1])
    await first.subject.stop()
    second.passes()
    const together = () => [...first.sequences(held), ...second.sequences(held)]
    await waitUntil(together).toEqual([1, 2])
  })

  it('publishes what is waiting before it stops, and nothing afterwards', async () => {
    const { subject, sequences, state } = publisher()
    const userId = await write(systemIds.uuid())
    await subject.stop()
    expect(sequences(userId)).toEqual([1])
    await write(userId)
    subject.wake()
    const { calls } = state
    await expect.poll(() => createOutbox(sql).backlog()).toMatchObject({ waiting: 1 })
    expect(state.calls).toBe(calls)
    await publisher().subject.stop()
  })

  it('ends at once when it stops while the broker is away, and leaves the events where they are', async () => {
    const { subject, state, timers } = publisher()
    const userId = await write(systemIds.uuid())
    state.isAway = true
    subject.wake()
    await waitUntil(() => timers.length).toBe(1)
    await subject.stop()
    expect(timers).toEqual([])
    const other = publisher()
    await other.subject.stop()
    expect(other.sequences(userId)).toEqual([1])
  })

  it('goes on after the database was away', async () => {
    const outbox = createOutbox(sql)
    let failures = 1
    const { subject, sequences, passes, timers } = publisher({
      outbox: {
        ...outbox,
        drain: (...args) => (failures-- > 0 ? Promise.reject(new Error('closed')) : outbox.drain(...args)),
      },
    })
    const userId = await write(systemIds.uuid())
    subject.wake()
    await waitUntil(() => timers.length).toBe(1)
    expect(subject.state().status).toBe('queued')
    passes()
    await waitUntil(() => sequences(userId)).toEqual([1])
  })
})
