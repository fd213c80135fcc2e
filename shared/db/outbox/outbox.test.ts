import { describe, expect, it } from 'vitest'
import type { Outbox } from '../../app/outbox/ports.ts'
import type { RecordedEvent } from '../../domain/cloud-event.ts'
import { systemIds } from '../../kit/system.ts'
import { aChange, anEvent, NOON } from '../../../testing/builders/a-task.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'

const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)

const { deps: stores } = await testDaybook()

describe('outbox', () => {
  const LIMIT = { users: 100, events: 1000, eventsPerUser: 1000, without: [] }
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
    await expect(stores.outbox.drain(LIMIT, () => Promise.reject(new Error('down')))).rejects.toThrow('down')
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
      (await stores.changeLog.after(userId, after, limit)).events.map((event) => event.sequence)
    expect(await sequences(1, 10)).toEqual([2, 3])
    expect(await sequences(0, 2)).toEqual([1, 2])
    expect(await sequences(3, 10)).toEqual([])
  })

  it('feeds about a megabyte at a time, and says whether there is more', async () => {
    const userId = uuid()
    const large = (bytes: number) => anEvent({ data: { said: '\u0001'.repeat(bytes / 6) } })
    const events = [...Array.from({ length: 25 }, () => large(100_000)), large(3_000_000), anEvent()]
    await stores.changes.commit(aChange(userId, { events }))
    const pages: number[][] = []
    for (let after = 0, more = true; more;) {
      const page = await stores.changeLog.after(userId, after, 1000)
      pages.push(page.events.map(({ sequence }) => sequence))
      if (page.events.length > 1) expect(JSON.stringify(page.events).length).toBeLessThan(1_100_000)
      after = page.events.at(-1)!.sequence
      more = page.hasMore
    }
    expect(pages.flat()).toEqual(events.map((_event, index) => index + 1))
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5, 1, 1])
  })
})

async function drainAll(outbox: Outbox, publish: Parameters<Outbox['drain']>[1]): Promise<void> {
  for (;;) {
    const { left } = await outbox.drain({ users: 3, events: 15, eventsPerUser: 5, without: [] }, publish)
    if (!left) return
  }
}
