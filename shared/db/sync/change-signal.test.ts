import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemIds, systemTimer } from '../../kit/system.ts'
import { aChange } from '../../../testing/builders/a-task.ts'
import { testDatabaseTarget } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../changes/change-store.ts'
import { connect } from '../connect.ts'
import { createAnnouncer } from './announce-changes.ts'
import { createChangeSignal } from './change-signal.ts'

const target = await testDatabaseTarget()
const until = (condition: () => unknown) =>
  vi.waitFor(async () => expect(await condition()).toBe(true), 10_000)

/** A feed, and another process that writes. */
function givenFeed(options: { pollMs?: number } = {}) {
  const [sql, writer] = [
    connect(target, { max: 2, applicationName: 'feed' }),
    connect(target, { max: 2, applicationName: 'writer' }),
  ]
  onTestFinished(async () => {
    await Promise.all([sql.end({ timeout: 1 }), writer.end({ timeout: 1 })])
  })
  const listeners = () => writer<{ pid: number }[]>`
    select pid from pg_stat_activity where application_name = 'feed' and query ilike 'listen%'`
  return {
    sql,
    writer,
    listeners,
    feed: createChangeSignal(sql, systemTimer, options),
    store: createChangeStore(writer, createAnnouncer(writer, systemTimer)),
  }
}

/** Counts news from the moment at which all that is only said to be on the safe side has been said. */
async function subscribed({ feed, listeners }: ReturnType<typeof givenFeed>, userId: string) {
  let count = 0
  const stop = feed.subscribe(userId, () => void (count += 1))
  onTestFinished(stop)
  await until(async () => (await listeners()).length === 1 && count > 0)
  count = 0
  return { stop, count: () => count }
}

describe('the signal of changes', () => {
  it('tells at once, by NOTIFY, what another process has written, and tells only whom it concerns', async () => {
    const given = givenFeed({ pollMs: 3_600_000 })
    const [one, other] = [systemIds.uuid(), systemIds.uuid()]
    const first = await subscribed(given, one)
    let others = 0
    onTestFinished(given.feed.subscribe(other, () => void (others += 1)))
    await given.store.commit(aChange(one))
    await until(() => first.count() === 1)
    expect(others).toBe(0)
  })

  it('says nothing of a change that was refused, and of many at the same time at once', async () => {
    const given = givenFeed({ pollMs: 3_600_000 })
    const userId = systemIds.uuid()
    const news = await subscribed(given, userId)
    const processed = { consumer: 'a-test', eventId: systemIds.uuid() }
    await given.store.commit(aChange(systemIds.uuid(), { processed }))
    expect(await given.store.commit(aChange(userId, { processed }))).toEqual({ outcome: 'already_processed' })
    const crowd = Array.from({ length: 450 }, () => systemIds.uuid())
    await Promise.all([...crowd, userId].map((one) => given.store.commit(aChange(one))))
    await until(() => news.count() > 0)
    expect(news.count()).toBe(1)
  })

  it('tells what was written while nobody else could', async () => {
    const given = givenFeed({ pollMs: 3_600_000 })
    const userId = systemIds.uuid()
    const news = await subscribed(given, userId)
    await given.store.exclusively(userId, (store) => store.commit(aChange(userId)))
    await until(() => news.count() > 0)
    expect(news.count()).toBe(1)
  })

  it('finds by its poll what it did not hear, and listens again', async () => {
    const given = givenFeed({ pollMs: 20 })
    const userId = systemIds.uuid()
    const news = await subscribed(given, userId)
    const deafened = (await given.listeners())[0]!.pid
    // Without an announcer, as if NOTIFY came to nobody.
    const silent = createChangeStore(given.writer)
    await silent.commit(aChange(userId))
    await until(() => news.count() > 0)
    for (let nth = 1; (await given.listeners())[0]?.pid === deafened && nth < 200; nth += 1) {
      await silent.commit(aChange(userId))
      await given.writer`select pg_sleep(0.02)`
    }
    await until(async () => {
      const [now] = await given.listeners()
      return now !== undefined && now.pid !== deafened
    })
    expect(await given.listeners()).toHaveLength(1)
  })

  it('hears again after its connections were broken', async () => {
    const given = givenFeed({ pollMs: 3_600_000 })
    const userId = systemIds.uuid()
    const news = await subscribed(given, userId)
    const before = (await given.listeners())[0]!.pid
    await given.writer`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'feed'`
    await until(async () => {
      const [now] = await given.listeners()
      return now !== undefined && now.pid !== before
    })
    await until(() => news.count() > 0) // what was written meanwhile is looked for
    const count = news.count()
    await given.store.commit(aChange(userId))
    await until(() => news.count() > count)
    expect(await given.listeners()).toHaveLength(1)
  })

  it('asks for a thousand users in one query, by index alone, in less than half a second', async () => {
    const given = givenFeed({ pollMs: 20 })
    const users = Array.from({ length: 1000 }, () => systemIds.uuid())
    await given.writer`
      insert into user_counters (user_id, turn, last_seq)
      select u, n, n from unnest(${users}::uuid[]) u, generate_series(1, 30) n`
    await given.writer`analyze user_counters`
    const queries: string[] = []
    const counting = connect(target, { max: 1, applicationName: 'feed' })
    onTestFinished(() => counting.end({ timeout: 1 }))
    counting.options.debug = (_connection: number, query: string) => void queries.push(query)
    let told = 0
    const feed = createChangeSignal(counting, systemTimer, { pollMs: 20 })
    const stops = users.map((userId) => feed.subscribe(userId, () => void (told += 1)))
    await until(() => told >= 1000 && queries.some((query) => query.includes('unnest')))
    for (const stop of stops) stop()
    const startedAt = performance.now()
    const plan = await given.writer.unsafe(
      `explain (analyze, format text) ${queries.find((query) => query.includes('unnest'))!.replace('$1', `'{${users.join(',')}}'`)}`,
    )
    const text = plan.map((row) => String(Object.values(row)[0])).join('\n')
    expect(text).toContain('user_counters_pkey')
    expect(text).not.toContain('Seq Scan')
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})
