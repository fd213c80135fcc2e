import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { SORT_ORDERS, TASK_SORTS, type TaskQuery } from '../app/task-query.ts'
import { PRIORITIES, type Task } from '../domain/task.ts'
import { tasksAdded } from '../testing/a-task.ts'
import { testDatabase } from '../testing/database.ts'
import { createMemoryTaskStores, type TaskStores } from '../testing/memory-task-store.ts'
import { postgresTaskStores } from '../testing/postgres-task-stores.ts'
import { EVERYTHING } from '../testing/task-queries.ts'

const USER = '019c0000-0000-7000-8000-0000000abcde'
/** Its lexemes begin like those of USER. */
const NAMESAKE = '019c0000-0000-7000-9000-0000000abcde'
const DAY_MS = 86_400_000
const START = Date.parse('2026-03-02T12:00:00.000Z')

/** 5,000 tasks: enough that a search walks only a part of them; words from common to rare, some only at the far end. */
function aTaskOf(index: number): Partial<Task> {
  const due = index % 4 === 0 ? null : new Date(START + ((index * 7919) % 5000) * 3_600_000)
  const words = [
    'pay',
    index % 3 === 0 && 'rent',
    index % 50 === 0 && 'flat',
    index % 97 === 0 && 'zebra',
    index % 397 === 0 && 'yak',
  ]
  return {
    title: [...words, index > 4980 && 'omega', index < 20 && 'alpha'].filter(Boolean).join(' '),
    description: index % 400 === 0 ? 'about the garden' : null,
    priority: index % 1000 === 1 ? 'high' : PRIORITIES[index % 2]!,
    tags: [...(index % 2 === 0 ? ['Even'] : []), ...(index % 500 === 3 ? ['rare'] : [])],
    completedAt: index % 2 === 0 || index % 5 === 1 ? new Date(START) : null,
    ...{ dueAt: due, dueDate: due?.toISOString().slice(0, 10) ?? (index % 8 === 0 ? '2026-05-01' : null) },
    createdAt: new Date(START - ((index * 31) % 1000) * DAY_MS),
    updatedAt: new Date(START + ((index * 17) % 700) * 1000),
    ...{ position: (index * 13) % 4000, recurrenceRule: index % 250 === 7 ? 'FREQ=DAILY' : null },
  }
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3 })
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value })
const instant = fc.integer({ min: -10, max: 250 }).map((days) => new Date(START + days * DAY_MS))

const queries: fc.Arbitrary<TaskQuery> = fc.record({
  q: maybe(
    fc.oneof(
      fc.constantFrom('yak', 'yak', 'ya', 'zebra', 'omega', 'alph', 'fla', 'gard', 'zerba', 'nothing'),
      fc.constantFrom('pay', 'rent', 'rent flat', 'pay zebr'),
    ),
  ),
  status: fc.constantFrom('all', 'active', 'completed'),
  priorities: fc.oneof(fc.constant([]), fc.subarray([...PRIORITIES])),
  tags: fc.oneof(fc.constant([]), fc.subarray(['even', 'RARE', 'none'])),
  tagsMode: fc.constantFrom('all', 'any'),
  dueAfter: rarely(instant),
  dueBefore: rarely(instant),
  isRecurring: rarely(fc.boolean()),
  parentId: fc.constant(null),
  sortBy: fc.constantFrom(...TASK_SORTS),
  sortOrder: fc.constantFrom(...SORT_ORDERS),
  page: fc.integer({ min: 1, max: 3 }),
  limit: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 200 })),
  cursor: fc.constant(null),
})

describe('PostgreSQL and memory', () => {
  let memory: TaskStores
  let postgres: TaskStores
  beforeAll(async () => {
    memory = createMemoryTaskStores()
    const sql = await testDatabase()
    postgres = postgresTaskStores(sql)
    for (const userId of [USER, NAMESAKE]) {
      for (let first = 0; first < 5000; first += 500) {
        const tasks = Array.from({ length: 500 }, (_, index) => aTaskOf(first + index))
        const change = tasksAdded(userId, tasks)
        await memory.changes.commit(change)
        await postgres.changes.commit(change)
      }
    }
    await sql`analyze tasks`
  })

  it('list the same for any query and wherever its cursor leads', async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const expected = await memory.tasks.list(USER, query)
        expect(summaryOf(await postgres.tasks.list(USER, query))).toEqual(summaryOf(expected))
        const again = await postgres.tasks.list(USER, query) // by what was remembered of the first time
        expect(summaryOf(again)).toEqual(summaryOf(expected))
        if (expected.nextCursor === null) return
        const next = { ...query, cursor: expected.nextCursor }
        expect(summaryOf(await postgres.tasks.list(USER, next))).toEqual(
          summaryOf(await memory.tasks.list(USER, next)),
        )
      }),
      { numRuns: 150 },
    )
  })

  it.each<Partial<TaskQuery>>([
    { tags: ['even'], sortBy: 'priority', sortOrder: 'desc' },
    { q: 'rent', tags: ['even'] },
    { q: 'rent flat' },
    { q: 'zebra', status: 'active', sortOrder: 'desc' },
    { q: 'omega', sortBy: 'created_at', limit: 5 },
    { q: 'pay', priorities: ['high', 'low'], sortOrder: 'desc', limit: 200 },
    { q: 'pay', priorities: ['medium'], sortBy: 'priority', page: 3 },
    { q: 'rent', sortBy: 'title', limit: 200 },
  ])('list the same of %o the first time and as often as it is asked', async (query) => {
    const wanted = { ...EVERYTHING, limit: 20, ...query }
    const expected = summaryOf(await memory.tasks.list(USER, wanted))
    expect(expected.items).not.toEqual([])
    for (let time = 1; time <= 3; time += 1)
      expect(summaryOf(await postgres.tasks.list(USER, wanted))).toEqual(expected)
  })
})

const summaryOf = ({ items, ...rest }: Awaited<ReturnType<TaskStores['tasks']['list']>>) => ({
  ...rest,
  items: items.map((task) => `${task.userId} ${task.id}`),
})
