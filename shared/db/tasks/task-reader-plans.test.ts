import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SORT_ORDERS, TASK_SORTS, type TaskQuery } from '../../app/tasks/task-query.ts'
import { testDatabaseTarget } from '../../../testing/worlds/database.ts'
import { dueState } from '../../domain/tasks/due-state.ts'
import { EVERYTHING as ALL } from '../../../testing/builders/task-queries.ts'
import { wordsOf } from '../../../bench/seed-tasks.ts'
import { systemTimer } from '../../kit/system.ts'
import { connect, type SocketTarget, type Sql } from '../connect.ts'
import { createTaskReader } from './task-reader.ts'

const USER = '00000000-0000-4000-8000-000000000001'
const EVERYTHING: TaskQuery = { ...ALL, limit: 20 }

let explained: Sql
let notices: string[] = []

beforeAll(async () => {
  const target = await testDatabaseTarget()
  const sql = connect(target, { max: 1, applicationName: 'test' })
  // Without it vacuum does not know yet that the rows are there to stay.
  await sql`set synchronous_commit = on`
  await fill(sql)
  await sql`vacuum analyze tasks`
  await sql.end()
  explained = explaining(target)
})

/**
 * 10,000 tasks of one user, whose completed ones come first in every order, and 100 each of a hundred others; and 5,000 that
 * are deleted, 250 of them that user's.
 */
async function fill(sql: Sql): Promise<void> {
  await sql`
    insert into tasks (id, user_id, title, description, priority, tags, tag_keys, completed_at, due_date, due_at,
      due_order, time_zone, position, recurrence_rule, repeat_from, parent_id, version, created_at, updated_at, deleted_at, words)
    select *, ${wordsOf(sql)} from (select gen_random_uuid(), case when n % 2 = 0 and (n <= 20000 or n % 20 = 0) then ${USER} else
        ('00000000-0000-4000-9000-' || lpad((n % 200)::text, 12, '0')) end::uuid as user_id,
      'Task ' || n || case when n % 10 < 8 then ' often' else '' end || case when n % 100 = 0 then ' seldom' else '' end as title,
      'about it' as description, n % 3 as priority, array['t' || n % 7], array['t' || n % 7] as tag_keys,
      case when n < 18000 then now() - n * interval '1 minute' end as completed_at, null::date, null::timestamptz,
      case when n % 4 = 0 then timestamptz '9999-12-31T23:59:59.999Z' else now() + n * interval '1 minute' end, 'UTC', n,
      case when n % 500 = 0 then 'FREQ=DAILY' end, 'due', case when n % 5000 = 2 then ${USER}::uuid end, 1,
      now() + n * interval '1 second', now() + n * interval '1 second',
      case when n > 20000 then now() - n * interval '1 second' end
    from generate_series(1, 25000) n) task`
}

/** One connection that tells in `notices` how each statement was carried out. */
function explaining(target: SocketTarget): Sql {
  const sql = postgres({
    ...target,
    max: 1,
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
  afterAll(() => sql.end())
  return sql
}

/** The plans PostgreSQL carried out for one list, after as many runs as make it consider a plan for all values. */
async function plansOf(query: Partial<TaskQuery>, userId = USER): Promise<string> {
  for (let run = 0; run < 8; run += 1) {
    notices = []
    await createTaskReader(explained, systemTimer).list(userId, { ...EVERYTHING, ...query })
  }
  expect(notices.join('\n')).toContain('user_counters')
  return notices.join('\n')
}

/** Rows that were read to be thrown away: what makes a list slow. */
const rowsRemoved = (plan: string) =>
  [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0)

describe('lists on PostgreSQL', () => {
  const INDEXES = {
    due_at: 'tasks_by_due',
    priority: 'tasks_by_priority',
    created_at: 'tasks_by_creation',
    updated_at: 'tasks_by_update',
    completed_at: 'tasks_by_completion',
    title: 'tasks_by_title',
    position: 'tasks_by_place',
  }
  const orders = TASK_SORTS.flatMap((sortBy) => SORT_ORDERS.map((sortOrder) => ({ sortBy, sortOrder })))

  it.each(orders)(
    'are read by $sortBy $sortOrder from its index, no more of them than a page',
    async (order) => {
      for (const status of ['all', 'active', 'completed'] as const) {
        const plan = await plansOf({ ...order, status })
        const open = order.sortBy === 'completed_at' && status === 'active'
        expect(plan).toContain(`using ${open ? 'tasks_by_due' : INDEXES[order.sortBy]} on tasks`)
        expect(plan).not.toMatch(/Seq Scan on tasks|Bitmap Heap Scan on tasks/)
        expect(rowsRemoved(plan)).toBe(0)
      }
    },
  )

  it.each(orders)(
    'go on by $sortBy $sortOrder where the cursor points, not from the beginning',
    async (order) => {
      const { nextCursor } = await createTaskReader(explained, systemTimer).list(USER, {
        ...EVERYTHING,
        ...order,
        status: 'completed',
        limit: 100,
        page: 60,
      })
      const plan = await plansOf({ ...order, status: 'completed', cursor: nextCursor })
      expect(plan).toContain(`using ${INDEXES[order.sortBy]} on tasks`)
      expect(plan).not.toContain('Seq Scan on tasks')
      expect(rowsRemoved(plan)).toBeLessThan(50)
    },
  )

  it.each(orders)('have by $sortBy $sortOrder the same tasks far down as one long page', async (order) => {
    const reader = createTaskReader(explained, systemTimer)
    for (const filter of [
      {},
      { status: 'active' },
      { priorities: ['high', 'low'] },
      { q: 'often' },
    ] as const) {
      const query = { ...EVERYTHING, ...order, ...filter }
      const { items } = await reader.list(USER, { ...query, limit: 620 })
      const { items: far } = await reader.list(USER, { ...query, limit: 20, page: 31 })
      expect(far.map(({ id }) => id)).toEqual(items.slice(600).map(({ id }) => id))
    }
  })

  it.each(['due_at', 'priority'] as const)(
    'skip by %s without reading what comes before the page',
    async (sortBy) => {
      const plan = await plansOf({ sortBy, status: 'completed', page: 60 })
      const heapFetches = [...plan.matchAll(/Heap Fetches: (\d+)/g)].map((match) => Number(match[1]))
      expect(plan).toContain(`Index Only Scan using ${INDEXES[sortBy]} on tasks`)
      expect(Math.max(...heapFetches)).toBe(0)
    },
  )

  it.each<[string, Partial<TaskQuery>, string]>([
    ['a seldom word', { q: 'seldom' }, 'tasks_by_words'],
    ['the beginning of a seldom word', { q: 'seld' }, 'tasks_by_words'],
    ['two words', { q: 'often seldom' }, 'tasks_by_words'],
    ['a tag and a seldom word', { q: 'seldom', tags: ['t3'] }, 'tasks_by_words'],
    ['a parent', { parentId: USER }, 'tasks_by_parent'],
    ['what recurs', { isRecurring: true }, 'tasks_recurring'],
    ['one priority', { priorities: ['high'] }, 'tasks_by_priority'],
    ['what is overdue', { due: dueState('overdue', new Date(), 'UTC') }, 'tasks_by_due'],
    ['what is due today', { due: dueState('today', new Date(), 'UTC') }, 'tasks_by_due'],
    ['a due range', { dueAfter: new Date(), dueBefore: new Date(Date.now() + 3_600_000) }, 'tasks_by_due'],
  ])('of %s come from an index that knows it', async (_name, query, index) => {
    for (const status of ['all', 'active'] as const) {
      const plan = await plansOf({ ...query, status })
      expect(plan).toMatch(new RegExp(`(using|Index Scan on) ${index} `))
      expect(plan).not.toContain('Seq Scan on tasks')
      expect(rowsRemoved(plan)).toBeLessThan(3000)
    }
  })

  it.each<[string, Partial<TaskQuery>, string]>([
    [
      'completed in a range',
      { status: 'completed', completedAfter: new Date(Date.now() - 1_500_000), completedBefore: new Date() },
      'tasks_by_completion',
    ],
    ['of the top level', { isTopLevel: true }, 'tasks_by_due'],
  ])('of tasks %s come from an index that knows them', async (_name, query, index) => {
    const plan = await plansOf(query)
    expect(plan).toMatch(new RegExp(`(using|Index Scan on) ${index} `))
    expect(plan).not.toContain('Seq Scan on tasks')
    expect(rowsRemoved(plan)).toBeLessThan(1000)
  })

  it.each<Partial<TaskQuery>>([{}, { q: 'often' }, { sortBy: 'completed_at' }])(
    'of deleted tasks read those of the user only (%o)',
    async (query) => {
      const plan = await plansOf({ ...query, status: 'deleted' }, '00000000-0000-4000-9000-000000000001')
      expect(plan).toMatch(/Index Cond: \(user_id = /)
      expect(plan).toContain('on tasks_deleted ')
      expect(rowsRemoved(plan)).toBeLessThan(100)
    },
  )

  it.each(orders)('of a common word by $sortBy $sortOrder never ask the index of words', async (order) => {
    const query = { ...EVERYTHING, ...order, q: 'often', tags: ['t1', 't2'], tagsMode: 'any' } as const
    const reader = createTaskReader(explained, systemTimer)
    await reader.list(USER, query) // counts the matches
    notices = []
    const { items } = await reader.list(USER, query)
    expect(items).toHaveLength(20)
    expect(notices.join('\n')).toMatch(/Index Scan on tasks_by_words .* \(never executed\)/)
    expect(notices.join('\n')).not.toMatch(/Index Scan on tasks_by_words .* \(actual/)
    expect(notices.join('\n')).not.toMatch(/Seq Scan on tasks/)
  })

  it('of a rare word ask the index of words at once when scanning to it was in vain before', async () => {
    const reader = createTaskReader(explained, systemTimer)
    const scans = async () => {
      notices = []
      await reader.list(USER, { ...EVERYTHING, q: 'seldom' })
      return /CTE scan/.test(notices.join('\n'))
    }
    expect([await scans(), await scans()]).toEqual([true, false])
  })

  it('of a word that many open and few completed tasks hold find only the few by the index of words', async () => {
    const reader = createTaskReader(explained, systemTimer)
    // 28 of the 4,500 completed tasks that come first, and 250 open ones.
    const query = { ...EVERYTHING, q: '19', dueAfter: new Date(0), limit: 40 }
    const read = async () => {
      notices = []
      const { items } = await reader.list(USER, query)
      expect(items.map(({ completedAt }) => completedAt !== null)).toEqual([
        ...Array.from({ length: 28 }, () => true),
        ...Array.from({ length: 12 }, () => false),
      ])
      return notices.join('\n')
    }
    expect(await read()).toContain('CTE scan_open_completed_0_0')
    const plan = await read()
    expect(plan).not.toContain('CTE scan_open_completed_0_0')
    expect(plan).toMatch(/CTE Scan on scan_open_0_0 .*\(actual/)
    expect(plan).not.toMatch(/CTE Scan on found_open .*\(actual/)
    expect(plan).toMatch(/CTE Scan on found_completed .*\(actual/)
  })

  // Not by due date descending: there the ids of one date still ascend, which no index does.
  it.each([orders[0]!, ...orders.filter(({ sortBy }) => sortBy === 'priority')])(
    'of a word and a priority by $sortBy $sortOrder are scanned to without sorting',
    async (order) => {
      const plan = await plansOf({ ...order, q: 'often', priorities: ['high'] })
      expect(plan).not.toContain('Incremental Sort')
      expect(rowsRemoved(plan)).toBeLessThan(200)
    },
  )

  it('of a wide range are planned for it, however many narrow ones were asked for before', async () => {
    const narrow = { dueAfter: new Date(), dueBefore: new Date(Date.now() + 3_600_000) }
    expect(await plansOf({ ...narrow, sortBy: 'title', status: 'completed' })).toContain('Sort Method')
    const wide = { dueAfter: new Date(0), dueBefore: new Date('2100-01-01') }
    notices = []
    await createTaskReader(explained, systemTimer).list(USER, {
      ...EVERYTHING,
      ...wide,
      sortBy: 'title',
      status: 'completed',
    })
    expect(notices.join('\n')).toContain('using tasks_by_title on tasks')
  })

  it('count their matches again only after a write', async () => {
    const reader = createTaskReader(explained, systemTimer)
    const query = { ...EVERYTHING, priorities: ['high'] } as const
    const counts = async () => {
      notices = []
      await reader.list(USER, query)
      return !/Limit .*\(never executed\)/.test(notices.join('\n'))
    }
    expect([await counts(), await counts()]).toEqual([true, false])
    await explained`insert into user_counters (user_id, last_seq) values (${USER}, 1)`
    expect([await counts(), await counts()]).toEqual([true, false])
  })
})

describe('plans that were made while nobody had a task', () => {
  const LISTS: [string, Partial<TaskQuery>, string][] = [
    ['by due date', {}, 'tasks_by_due'],
    ['of the open ones', { status: 'active' }, 'tasks_by_due'],
    ['by priority', { sortBy: 'priority', sortOrder: 'desc' }, 'tasks_by_priority'],
    ['by title', { sortBy: 'title' }, 'tasks_by_title'],
    ['by creation', { sortBy: 'created_at' }, 'tasks_by_creation'],
    ['of one priority', { priorities: ['high'] }, 'tasks_by_priority'],
    ['of what recurs', { isRecurring: true }, 'tasks_recurring'],
    ['of a common word', { q: 'often' }, 'tasks_by_due'],
    ['of a seldom word', { q: 'seldom' }, 'tasks_by_words'],
  ]

  /** The plan of each list, on a connection that has asked for all of them before there were tasks. */
  async function plansAfterwards(
    prepare: (sql: Sql) => Promise<unknown>,
    filled: (sql: Sql) => Promise<unknown>,
  ) {
    const target = await testDatabaseTarget()
    const sql = connect(target, { max: 1, applicationName: 'test' })
    await sql`alter table tasks set (autovacuum_enabled = off)`
    await prepare(sql)
    const asked = explaining(target)
    const ask = (query: Partial<TaskQuery>) =>
      createTaskReader(asked, systemTimer).list(USER, { ...EVERYTHING, ...query })
    for (const [, query] of LISTS) for (let run = 0; run < 8; run += 1) await ask(query)
    await fill(sql)
    await filled(sql)
    await sql.end()
    const plans: string[] = []
    for (const [, query] of LISTS) {
      notices = []
      expect((await ask(query)).items.length).toBeGreaterThan(0)
      plans.push(notices.join('\n'))
    }
    return plans
  }

  it('read by index all the same on a fresh database, which knows nothing of its tables', async () => {
    const plans = await plansAfterwards(
      async () => {},
      async () => {},
    )
    for (const [index, [, query, name]] of LISTS.entries()) {
      // What a filter leaves is not known before the first `analyze`: until then it may be read by another index.
      const by = query.priorities || query.q === 'seldom' ? String.raw`tasks_by_\w+` : name
      expect(plans[index]).toMatch(new RegExp(`(using|Index Scan on) ${by} `))
      expect(plans[index]).not.toContain('Seq Scan on tasks')
    }
  })

  it('are made anew, on connections that have them, when the tables are analyzed', async () => {
    const analyze = (sql: Sql) => sql`analyze tasks`
    const plans = await plansAfterwards(analyze, analyze)
    for (const [index, [, , name]] of LISTS.entries()) {
      expect(plans[index]).toMatch(new RegExp(`(using|Index Scan on) ${name} `))
      expect(plans[index]).not.toContain('Seq Scan on tasks')
    }
  })
})
