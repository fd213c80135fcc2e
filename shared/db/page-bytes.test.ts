import { describe, expect, it } from 'vitest'
import { systemIds, systemTimer } from '../kit/system.ts'
import { anEvent, tasksAdded } from '../../testing/builders/a-task.ts'
import { countedDatabase } from '../../testing/worlds/counted-database.ts'
import { EVERYTHING } from '../../testing/builders/task-queries.ts'
import { createChangeStore } from './changes/change-store.ts'
import { createNotificationReader } from './notifications/notification-reader.ts'
import { createChangeLog } from './sync/change-log.ts'
import { createTaskReader } from './tasks/task-reader.ts'

const database = await countedDatabase()

/** Bytes that come into the process while `work` is done. */
async function bytesOf(work: () => Promise<unknown>): Promise<number> {
  const before = database.received()
  await work()
  return database.received() - before
}

describe('what comes into the process at once, however much there is,', () => {
  it('is about a megabyte of changes', async () => {
    const events = Array.from({ length: 60 }, () => anEvent({ data: { said: 'x'.repeat(100_000) } }))
    const owner = systemIds.uuid()
    await createChangeStore(database.sql).commit({ ...tasksAdded(owner, []), events })
    const feed = createChangeLog(database.sql)
    expect(await bytesOf(() => feed.after(owner, 0, 1000))).toBeLessThan(1_300_000)
    expect(await feed.after(owner, 0, 1000)).toMatchObject({ events: { length: 10 }, hasMore: true })
  })

  it('is about a megabyte of tasks, and of tasks to reorder their places alone', async () => {
    const description = '\u3042'.repeat(5000) // fifteen thousand bytes
    const change = tasksAdded(
      systemIds.uuid(),
      Array.from({ length: 200 }, () => ({ description })),
    )
    const changes = createChangeStore(database.sql)
    await changes.commit(change)
    const query = { ...EVERYTHING, page: null, limit: 200 }
    const list = () => createTaskReader(database.sql, systemTimer).list(change.userId, query)
    expect(await bytesOf(list)).toBeLessThan(1_300_000)
    const ids = change.newTasks.map(({ id }) => id)
    expect(await bytesOf(() => changes.loadPlaces(change.userId, ids))).toBeLessThan(20_000)
  })

  it('is about a megabyte of notifications; cursors and streams lead to each of them once', async () => {
    const userId = systemIds.uuid()
    await database.sql`
      insert into notifications (id, user_id, source, type, title, body, late, seq, created_at)
      select gen_random_uuid(), ${userId}, 'test/' || n, 'daily_digest', 'x', repeat('b', 80000), false, n, now()
      from generate_series(1, 40) n`
    const reader = createNotificationReader(database.sql)
    const walked: number[] = []
    for (let before: number | null = null, more = true; more;) {
      const receivedBefore = database.received()
      const page = await reader.list(userId, { before, onlyUnread: false, limit: 100 })
      expect(database.received() - receivedBefore).toBeLessThan(1_300_000)
      expect(page.unread).toBe(40)
      walked.push(...page.items.map(({ seq }) => seq))
      before = walked.at(-1)!
      more = page.hasMore
    }
    expect(walked).toEqual(Array.from({ length: 40 }, (_, index) => 40 - index))

    const streamed: number[] = []
    for (let found = await reader.after(userId, 0, 100); found.length > 0;) {
      streamed.push(...found.map(({ seq }) => seq))
      found = await reader.after(userId, streamed.at(-1)!, 100)
    }
    expect(streamed).toEqual(walked.toReversed())
  })
})
