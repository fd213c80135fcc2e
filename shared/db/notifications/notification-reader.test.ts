import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NotificationReader } from '../../app/notifications/ports.ts'
import { systemIds } from '../../kit/system.ts'
import { testDatabaseTarget } from '../../../testing/worlds/database.ts'
import { connect, type Sql } from '../connect.ts'
import { createNotificationReader } from './notification-reader.ts'

const USER = '00000000-0000-4000-8000-000000000001'
const FIRST = new Date('2026-03-02T08:00:00.000Z')

let sql: Sql
let explained: Sql
let reader: NotificationReader
let notices: string[] = []

beforeAll(async () => {
  const target = await testDatabaseTarget()
  sql = connect(target, { max: 10, applicationName: 'test' })
  afterAll(() => sql.end({ timeout: 1 }))
  reader = createNotificationReader(sql)
  // 20,000 of one user, of which the 1,800 oldest are unread and every tenth is not shown, and 200 each of a hundred others.
  await sql`
    insert into notifications (id, user_id, source, type, title, body, late, seq, created_at, read_at)
    select gen_random_uuid(),
      case when n % 2 = 0 then ${USER} else '00000000-0000-4000-9000-' || lpad((n % 200)::text, 12, '0') end::uuid,
      'test/' || n, 'reminder', 'Task ' || n, repeat('b', 200), false, case when n % 20 <> 0 then n end, now(),
      case when n > 4000 then now() end
    from generate_series(1, 40000) n`
  await sql`vacuum analyze notifications`
  explained = postgres({
    ...target,
    max: 2,
    onnotice: (notice) => notices.push(notice.message ?? ''),
    connection: {
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_level': 'notice',
      client_min_messages: 'notice',
      'auto_explain.log_analyze': 'on',
    },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  }) as unknown as Sql
  afterAll(() => explained.end())
})

/** The plans PostgreSQL carried out, after as many runs as make it consider a plan for all values. */
async function plansOf(ask: (reader: NotificationReader) => Promise<unknown>): Promise<string> {
  for (let run = 0; run < 8; run += 1) {
    notices = []
    await ask(createNotificationReader(explained))
  }
  return notices.join('\n')
}

/** Somebody with `count` notifications, the first at place 1. */
async function somebody(count: number): Promise<{ userId: string; ids: string[] }> {
  const userId = systemIds.uuid()
  const ids = Array.from({ length: count }, () => systemIds.uuid())
  await sql`
    insert into notifications (id, user_id, source, type, title, body, late, seq, created_at)
    select id, ${userId}, 'test/' || place, 'notice', 'x', '', false, place, now()
    from unnest(${ids}::uuid[]) with ordinality u (id, place)`
  return { userId, ids }
}

describe('notifications on PostgreSQL', () => {
  it.each([
    ['a page', { before: null, onlyUnread: false, limit: 50 }, 'notifications_in_app'],
    ['a page further on', { before: 20_001, onlyUnread: false, limit: 50 }, 'notifications_in_app'],
    ['a page of what is unread', { before: null, onlyUnread: true, limit: 50 }, 'notifications_unread'],
  ])('read %s and count what is unread by index alone', async (_, query, index) => {
    const plans = await plansOf((one) => one.list(USER, query))
    expect(plans).toContain(index)
    expect(plans).toContain('notifications_unread')
    expect(plans).not.toMatch(/Seq Scan|Sort|Rows Removed by Filter/)
  })

  it('read what follows a place by index alone', async () => {
    const plans = await plansOf((one) => one.after(USER, 39_000, 100))
    expect(plans).toContain('notifications_in_app')
    expect(plans).not.toMatch(/Seq Scan|Sort|Rows Removed by Filter/)
  })

  it('leave out what no channel of the app shows', async () => {
    const { items } = await reader.list(USER, { before: 61, onlyUnread: false, limit: 100 })
    expect(items.map(({ seq }) => seq).filter((seq) => seq % 20 === 0)).toEqual([])
    const [hidden] = await sql<{ id: string }[]>`
      select id from notifications where user_id = ${USER} and seq is null limit 1`
    expect(await reader.get(USER, hidden!.id)).toBeNull()
  })

  it('are named so many at a time when they are unread, the newest first, with how many there are', async () => {
    const { userId, ids } = await somebody(30)
    expect(await reader.unread(userId, 20)).toEqual({ ids: ids.slice(10).toReversed(), unread: 30 })
    expect(await reader.unread(USER.replace(/.$/, '9'), 20)).toEqual({ ids: [], unread: 0 })
  })

  it('that were read together are one item, which names no more than a hundred', async () => {
    const { userId, ids } = await somebody(101)
    await sql`update notifications set read_at = ${FIRST}, read_seq = 500 where user_id = ${userId} and id <> ${ids[0]!}`
    await sql`update notifications set read_at = ${FIRST}, read_seq = 501 where id = ${ids[0]!}`
    const { reads } = await reader.readAfter(userId, 499, 100)
    expect(reads.map(({ seq, ids: read }) => [seq, read?.length])).toEqual([
      [500, 100],
      [501, 1],
    ])
    await sql`update notifications set read_seq = 502 where user_id = ${userId}`
    expect((await reader.readAfter(userId, 499, 100)).reads).toEqual([{ seq: 502, ids: null, unread: 0 }])
    expect((await reader.readAfter(userId, 502, 100)).reads).toEqual([])
  })
})
