import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { SORT_ORDERS, TASK_SORTS, type TaskPage, type TaskQuery } from '../../app/tasks/task-query.ts'
import { DAY_MS } from '../../domain/durations.ts'
import { DUE_STATES, dueState } from '../../domain/tasks/due-state.ts'
import { PRIORITIES, type Task } from '../../domain/tasks/task.ts'
import { tasksAdded } from '../../../testing/builders/a-task.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'
import { listInMemory } from '../../../testing/memory/memory-task-reader.ts'
import { EVERYTHING } from '../../../testing/builders/task-queries.ts'

const USER = '019c0000-0000-7000-8000-0000000abcde'
/** Its lexemes begin like those of USER. */
const NAMESAKE = '019c0000-0000-7000-9000-0000000abcde'
const PARENT = '019c0000-0000-7000-8000-0000000000ff'
const START = Date.parse('2026-03-02T12:00:00.000Z')

/** 5,000 tasks: enough that a search walks only a part of them; words from common to rare, some only at the far end. */
function aTaskOf(index: number): Partial<Task> {
  const due = index % 4 === 0 ? null : new Date(START + ((index * 7919) % 5000) * 3_600_000)
  const words = [
    'pay',
    index % 3 === 0 && 'rent',
    index % 7 === 0 && ['Ä', 'a', 'É', '2', '10', 'Zß', '日'][index % 11],
    index % 50 === 0 && 'flat',
    index % 97 === 0 && 'zebra',
    index % 397 === 0 && 'yak',
  ]
  return {
    title: [
      ...words,
      index % 61 === 0 && '我家在上海东边',
      index % 53 === 0 && 'Learn C++ 🎉🎂',
      index > 4980 && 'omega',
      index < 20 && 'alpha',
    ]
      .filter(Boolean)
      .join(' '),
    description: index % 400 === 0 ? 'about the garden' : null,
    priority: index % 1000 === 1 ? 'high' : PRIORITIES[index % 2]!,
    tags: [...(index % 2 === 0 ? ['Even'] : []), ...(index % 500 === 3 ? ['rare'] : [])],
    completedAt: index % 2 === 0 || index % 5 === 1 ? new Date(START + (index % 90) * DAY_MS) : null,
    deletedAt: index % 37 === 5 ? new Date(START) : null,
    parentId: index % 3 === 1 ? PARENT : null,
    dueAt: due,
    dueDate:
      due?.toISOString().slice(0, 10) ??
      (index % 8 === 0 ? new Date(START + (index % 200) * DAY_MS).toISOString().slice(0, 10) : null),
    timeZone: ['UTC', 'Pacific/Kiritimati', 'America/Adak'][index % 3]!,
    createdAt: new Date(START - ((index * 31) % 1000) * DAY_MS),
    updatedAt: new Date(START + ((index * 17) % 700) * 1000),
    position: (index * 13) % 4000,
    recurrenceRule: index % 250 === 7 ? 'FREQ=DAILY' : null,
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
      fc.constantFrom('pay', 'rent', 'rent flat', 'pay zebr', '上海', '边', '海上', 'c++', '🎂', '上海 c++'),
    ),
  ),
  status: fc.constantFrom('all', 'active', 'completed', 'deleted'),
  priorities: fc.oneof(fc.constant([]), fc.subarray([...PRIORITIES])),
  tags: fc.oneof(fc.constant([]), fc.subarray(['even', 'RARE', 'none'])),
  tagsMode: fc.constantFrom('all', 'any'),
  dueAfter: rarely(instant),
  dueBefore: rarely(instant),
  due: rarely(
    fc
      .tuple(
        fc.constantFrom(...DUE_STATES),
        instant,
        fc.constantFrom('Asia/Tokyo', 'America/New_York', 'UTC'),
      )
      .map(([is, now, timeZone]) => dueState(is, now, timeZone)),
  ),
  completedAfter: rarely(instant),
  completedBefore: rarely(instant),
  isRecurring: rarely(fc.boolean()),
  parentId: rarely(fc.constant(PARENT)),
  isTopLevel: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.boolean()),
  sortBy: fc.constantFrom(...TASK_SORTS),
  sortOrder: fc.constantFrom(...SORT_ORDERS),
  page: fc.integer({ min: 1, max: 3 }),
  limit: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 200 })),
  cursor: fc.constant(null),
})

describe('PostgreSQL and memory', () => {
  const own: Task[] = []
  let list: (query: TaskQuery) => Promise<TaskPage>
  beforeAll(async () => {
    const { sql, deps } = await testDaybook()
    list = (query) => deps.tasks.list(USER, query)
    for (const userId of [USER, NAMESAKE]) {
      for (let first = 0; first < 5000; first += 500) {
        const tasks = Array.from({ length: 500 }, (_, index) => aTaskOf(first + index))
        const change = tasksAdded(userId, tasks)
        await deps.changes.commit(change)
        if (userId === USER) own.push(...change.newTasks)
      }
    }
    await sql`analyze tasks`
  })

  it('list the same for any query and wherever its cursor leads', async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const expected = listInMemory(own, query)
        expect(summaryOf(await list(query))).toEqual(summaryOf(expected))
        const again = await list(query) // by what was remembered of the first time
        expect(summaryOf(again)).toEqual(summaryOf(expected))
        if (expected.nextCursor === null) return
        const next = { ...query, cursor: expected.nextCursor }
        expect(summaryOf(await list(next))).toEqual(summaryOf(listInMemory(own, next)))
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it.each<Partial<TaskQuery>>([
    { tags: ['even'], sortBy: 'priority', sortOrder: 'desc' },
    { q: 'rent', tags: ['even'] },
    { q: 'rent flat' },
    { q: 'zebra', status: 'active', sortOrder: 'desc' },
    { q: 'omega', sortBy: 'created_at', limit: 5 },
    { q: 'pay', priorities: ['high', 'low'], sortOrder: 'desc', limit: 200 },
    { q: 'pay', priorities: ['medium'], sortBy: 'priority', page: 3 },
    { q: 'rent', sortBy: 'title', limit: 200 },
    { sortBy: 'completed_at', sortOrder: 'desc' },
    { sortBy: 'completed_at', page: 60, limit: 50 },
    { q: 'rent', sortBy: 'completed_at', limit: 200 },
    { status: 'deleted', sortBy: 'completed_at', sortOrder: 'desc', limit: 200 },
    { status: 'deleted', q: 'rent', tags: ['even'] },
  ])('list the same of %o the first time and as often as it is asked', async (query) => {
    const wanted = { ...EVERYTHING, limit: 20, ...query }
    const expected = summaryOf(listInMemory(own, wanted))
    expect(expected.items).not.toEqual([])
    for (let time = 1; time <= 3; time += 1) expect(summaryOf(await list(wanted))).toEqual(expected)
  })
})

const summaryOf = ({ items, ...rest }: TaskPage) => ({
  ...rest,
  items: items.map((task) => `${task.userId} ${task.id}`),
})
