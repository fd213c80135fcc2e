import { beforeAll, describe, expect, it } from 'vitest'
import type { Outbox } from '../app/ports.ts'
import type { RecordedEvent } from '../domain/cloud-event.ts'
import { systemIds } from '../kit/system.ts'
import { aChange, anAnswer, anEvent, aSeries, NOON, tasksAdded } from './a-task.ts'
import type { TaskStores } from './memory-task-store.ts'

const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)
const DAY_MS = 86_400_000

/** Retries, loads, the outbox and clearing up. */
export function taskUpkeepContract(name: string, makeStores: () => Promise<TaskStores>): void {
  describe(`${name}: retries`, () => {
    let stores: TaskStores
    beforeAll(async () => {
      stores = await makeStores()
    })

    it('get the stored answer, and no second effect', async () => {
      const userId = uuid()
      const answer = { title: 'Pay rent', tags: ['ü'], nothing: null, n: 1.5 }
      const change = () => ({ ...tasksAdded(userId, [{}]), idempotency: anAnswer('request', answer) })
      expect((await stores.changes.commit(change())).outcome).toBe('applied')
      expect(await stores.changes.commit(change())).toEqual({ outcome: 'replayed', answer })
      expect(await stores.changes.storedAnswer(userId, 'key', NOON)).toEqual({
        fingerprint: 'request',
        answer,
      })
      expect((await stores.changes.loadTask(userId, uuid(), 'key', NOON)).stored).toEqual({
        ...{ fingerprint: 'request', answer },
      })
      expect(await stores.feed.after(userId, 0, 10)).toHaveLength(1)
    })

    it('with the key of another request are refused', async () => {
      const userId = uuid()
      await stores.changes.commit(aChange(userId, { idempotency: anAnswer('request') }))
      const other = aChange(userId, { idempotency: anAnswer('another') })
      expect(await stores.changes.commit(other)).toEqual({ outcome: 'key_reused' })
    })

    it('share no key with another user', async () => {
      await stores.changes.commit(aChange(uuid(), { idempotency: anAnswer('request') }))
      const other = aChange(uuid(), { idempotency: anAnswer('another') })
      expect((await stores.changes.commit(other)).outcome).toBe('applied')
    })

    it('after the answer has expired are new requests', async () => {
      const userId = uuid()
      await stores.changes.commit(aChange(userId, { idempotency: anAnswer('request') }))
      expect(await stores.changes.storedAnswer(userId, 'key', later(DAY_MS))).toBeNull()
      const again = aChange(userId, {
        ...{ at: later(DAY_MS) },
        idempotency: { ...anAnswer('another', 'second'), expiresAt: later(2 * DAY_MS) },
      })
      expect((await stores.changes.commit(again)).outcome).toBe('applied')
      expect(await stores.changes.storedAnswer(userId, 'key', later(DAY_MS))).toMatchObject({
        answer: 'second',
      })
    })

    it('of one key, fifty at once, have one effect', async () => {
      const userId = uuid()
      const attempts = Array.from({ length: 50 }, () =>
        stores.changes.commit({ ...tasksAdded(userId, [{}]), idempotency: anAnswer('request', 'once') }),
      )
      const outcomes = (await Promise.all(attempts)).map((result) => result.outcome)
      expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
      expect(outcomes.every((outcome) => ['applied', 'replayed', 'in_flight'].includes(outcome))).toBe(true)
      const last = { ...tasksAdded(userId, [{}]), idempotency: anAnswer('request', 'twice') }
      expect(await stores.changes.commit(last)).toEqual({ outcome: 'replayed', answer: 'once' })
      expect(await stores.feed.after(userId, 0, 10)).toHaveLength(1)
    })
  })

  describe(`${name}: loads`, () => {
    let stores: TaskStores
    beforeAll(async () => {
      stores = await makeStores()
    })

    it('neighbours in the order of position and id, deleted ones left out', async () => {
      const change = tasksAdded(uuid(), [
        ...[
          { position: 10 },
          { position: 20, completedAt: NOON },
          { position: 20 },
          { position: 30, deletedAt: NOON },
          { position: 40, completedAt: NOON },
        ],
      ])
      await stores.changes.commit(change)
      const { userId } = change
      const [a, b, c, gone, e] = change.newTasks.toSorted(
        (x, y) => x.position - y.position || (x.id < y.id ? -1 : 1),
      )
      const { loadFollowing, loadPreceding, loadTasks } = stores.changes
      expect(await loadFollowing(userId, a!, 10)).toEqual([b, c, e])
      expect(await loadFollowing(userId, b!, 1)).toEqual([c])
      expect(await loadPreceding(userId, { ...e!, excluding: uuid() })).toEqual(c)
      expect(await loadPreceding(userId, { ...e!, excluding: c!.id })).toEqual(b)
      expect(await loadPreceding(userId, { ...a!, excluding: uuid() })).toBeNull()
      const found = await loadTasks(userId, [a!.id, gone!.id, uuid()])
      expect(found).toEqual([a])
    })

    it('ancestors, nearest first', async () => {
      const [top, middle] = [uuid(), uuid()]
      const change = tasksAdded(uuid(), [{ id: top }, { id: middle, parentId: top }, { parentId: middle }])
      await stores.changes.commit(change)
      const leaf = change.newTasks[2]!.id
      expect(await stores.changes.ancestors(change.userId, leaf)).toEqual([leaf, middle, top])
      expect(await stores.changes.ancestors(uuid(), leaf)).toEqual([])
    })

    it('siblings of a series, newest occurrence first', async () => {
      const seriesId = uuid()
      const change = tasksAdded(uuid(), [
        { seriesId, occurrenceAt: later(1) },
        { seriesId, occurrenceAt: later(3) },
        { seriesId, occurrenceAt: later(2) },
        { seriesId, occurrenceAt: later(4), deletedAt: NOON },
        { occurrenceAt: later(5) },
      ])
      await stores.changes.commit(change)
      const [first, third, second] = change.newTasks
      const { userId } = change
      expect(await stores.changes.loadSiblings(userId, seriesId, third!.id, 10)).toEqual([second, first])
      expect(await stores.changes.loadSiblings(userId, seriesId, uuid(), 1)).toEqual([third])
    })
  })

  describe(`${name}: outbox`, () => {
    let stores: TaskStores
    beforeAll(async () => {
      stores = await makeStores()
    })
    const LIMIT = { users: 100, eventsPerUser: 1000, without: [] }
    const all = async (events: RecordedEvent[]) => events

    it('hands over each event once, in order per user, to two publishers at once', async () => {
      const userIds = Array.from({ length: 5 }, uuid)
      for (const userId of userIds) {
        for (let index = 0; index < 6; index += 1) {
          await stores.changes.commit(aChange(userId, { events: [anEvent(), anEvent()] }))
        }
      }
      const published: RecordedEvent[] = []
      const publish = async (events: RecordedEvent[]) => {
        await stores.outbox.backlog() // gives the other publisher time to come in between
        published.push(...events)
        return events
      }
      await Promise.all([drainAll(stores.outbox, publish), drainAll(stores.outbox, publish)])
      for (const userId of userIds) {
        const sequences = published.filter((event) => event.userId === userId).map((event) => event.sequence)
        expect(sequences).toEqual(Array.from({ length: 12 }, (_, index) => index + 1))
      }
      expect(await stores.outbox.backlog()).toEqual({ waiting: 0, oldest: null })
    })

    it('keeps what was not sent, and offers it first the next time', async () => {
      const userId = uuid()
      const events = [1, 2, 3].map((ms) => anEvent({ time: later(ms) }))
      await stores.changes.commit(aChange(userId, { events }))
      const offered: number[][] = []
      const sendOne = async (batch: RecordedEvent[]) => {
        offered.push(batch.map((event) => event.sequence))
        return batch.slice(0, 1)
      }
      expect(await stores.outbox.drain(LIMIT, sendOne)).toMatchObject({ claimed: 3, sent: 1 })
      expect(await stores.outbox.backlog()).toEqual({ waiting: 2, oldest: later(2) })
      await expect(stores.outbox.drain(LIMIT, () => Promise.reject(new Error('down')))).rejects.toThrow(
        'down',
      )
      expect(await stores.outbox.drain(LIMIT, all)).toMatchObject({ claimed: 2, sent: 2, left: false })
      expect(offered).toEqual([[1, 2, 3]])
    })

    it('says whether others are waiting', async () => {
      const userIds = [uuid(), uuid()].toSorted()
      for (const userId of userIds)
        await stores.changes.commit(aChange(userId, { events: [anEvent(), anEvent()] }))
      const few = { ...LIMIT, eventsPerUser: 1, without: [userIds[1]!] }
      expect(await stores.outbox.drain(few, all)).toEqual({ claimed: 1, sent: 1, left: true })
      expect(await stores.outbox.drain({ ...LIMIT, users: 1 }, all)).toEqual({
        claimed: 1,
        sent: 1,
        left: true,
      })
      expect(await stores.outbox.drain(LIMIT, all)).toEqual({ claimed: 2, sent: 2, left: false })
      expect(await stores.outbox.drain(LIMIT, all)).toEqual({ claimed: 0, sent: 0, left: false })
    })

    it('feeds the events after a sequence number', async () => {
      const userId = uuid()
      await stores.changes.commit(aChange(userId, { events: [anEvent(), anEvent(), anEvent()] }))
      const sequences = async (after: number, limit: number) =>
        (await stores.feed.after(userId, after, limit)).map((event) => event.sequence)
      expect(await sequences(1, 10)).toEqual([2, 3])
      expect(await sequences(0, 2)).toEqual([1, 2])
      expect(await sequences(3, 10)).toEqual([])
    })
  })

  describe(`${name}: clearing up`, () => {
    let stores: TaskStores
    beforeAll(async () => {
      stores = await makeStores()
    })

    it('finds active series that have been without a live task for a while, the longest first', async () => {
      const userId = uuid()
      const long = aSeries({ userId, updatedAt: later(-2000) })
      const longer = aSeries({ userId, updatedAt: later(-3000) })
      const twin = aSeries({ userId, updatedAt: long.updatedAt })
      const others = [
        ...[
          aSeries({ userId, updatedAt: later(-1000) }),
          aSeries({ userId, updatedAt: later(-9000), state: 'ended' }),
        ],
        aSeries({ userId, updatedAt: later(-9000), liveTaskId: uuid() }),
      ]
      for (const series of [twin, long, longer, ...others])
        await stores.changes.commit(aChange(userId, { series }))
      const expected = [longer, long, twin].map(({ id, updatedAt }) => ({
        ...{ userId, seriesId: id, waitingSince: updatedAt },
      }))
      const { withoutLiveTask } = stores.sweep
      expect(await withoutLiveTask(later(-1000), null, 10)).toEqual(expected)
      expect(await withoutLiveTask(later(-1000), null, 1)).toEqual(expected.slice(0, 1))
      expect(await withoutLiveTask(later(-1000), expected[0]!, 1)).toEqual(expected.slice(1, 2))
      expect(await withoutLiveTask(later(-1000), expected[1]!, 10)).toEqual(expected.slice(2))
    })

    it('removes expired keys, old marks and tasks deleted long ago, a batch at a time', async () => {
      const userId = uuid()
      const deleted = tasksAdded(userId, [
        { deletedAt: later(-2) },
        { deletedAt: later(-2) },
        { deletedAt: later(0) },
        {},
      ])
      await stores.changes.commit(deleted)
      const mark = { consumer: 'audit', eventId: uuid() }
      await stores.changes.commit(aChange(userId, { processed: mark, idempotency: anAnswer('request') }))
      const purge = (now: Date, batch: number) =>
        stores.housekeeping.purge(now, {
          ...{ marksBefore: now, deletedBefore: later(-1), toldBefore: now, settledBefore: now, batch },
        })
      expect(await purge(later(-1), 1)).toBe(1)
      expect((await stores.changes.commit(aChange(userId, { processed: mark }))).outcome).toBe(
        'already_processed',
      )
      expect(await stores.changes.storedAnswer(userId, 'key', NOON)).not.toBeNull()
      expect(await purge(later(DAY_MS + 1), 10)).toBe(1)
      expect(await purge(later(DAY_MS + 1), 10)).toBe(0)
      const left = await Promise.all(
        deleted.newTasks.map(
          async ({ id }) => (await stores.changes.loadTask(userId, id, null, NOON)).task !== null,
        ),
      )
      expect(left).toEqual([false, false, true, true])
      expect((await stores.changes.commit(aChange(userId, { processed: mark }))).outcome).toBe('applied')
    })
  })
}

async function drainAll(outbox: Outbox, publish: Parameters<Outbox['drain']>[1]): Promise<void> {
  for (;;) {
    const { left } = await outbox.drain({ users: 3, eventsPerUser: 5, without: [] }, publish)
    if (!left) return
  }
}
