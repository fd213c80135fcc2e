import { beforeAll, describe, expect, it } from 'vitest'
import { TASK_SORTS, type TaskPage, type TaskQuery } from '../../app/tasks/task-query.ts'
import { DomainError } from '../../domain/errors.ts'
import { PRIORITIES, type Task } from '../../domain/tasks/task.ts'
import { systemIds } from '../../kit/system.ts'
import { tasksAdded } from '../../../testing/builders/a-task.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'
import { taskCursor } from './task-reader-cursor.ts'
import { EVERYTHING } from '../../../testing/builders/task-queries.ts'
import { listInMemory } from '../../../testing/memory/memory-task-reader.ts'

const at = (text: string) => new Date(`2026-${text}Z`)
const DONE = at('03-01T10:00:00.000')

const { deps: stores } = await testDaybook()

describe('lists', () => {
  async function userWith(...tasks: Partial<Task>[]): Promise<string> {
    const userId = systemIds.uuid()
    expect(await stores.changes.commit(tasksAdded(userId, tasks))).toMatchObject({ outcome: 'applied' })
    return userId
  }
  const list = (userId: string, query: Partial<TaskQuery> = {}): Promise<TaskPage> =>
    stores.tasks.list(userId, { ...EVERYTHING, ...query })
  const titles = async (userId: string, query: Partial<TaskQuery> = {}) =>
    (await list(userId, query)).items.map((task) => task.title)

  it('give back tasks as they were stored', async () => {
    const full: Partial<Task> = {
      description: 'by transfer',
      priority: 'high',
      tags: ['Home', 'Übung, "2"'],
      completedAt: DONE,
      dueDate: '2026-12-01',
      dueAt: at('12-01T08:00:00.123'),
      timeZone: 'Europe/Berlin',
      remindAt: DONE,
      parentId: systemIds.uuid(),
      position: 9_007_199_254_740_991,
      seriesId: systemIds.uuid(),
      occurrenceAt: DONE,
      recurrenceRule: 'FREQ=DAILY',
      repeatFrom: 'completion',
    }
    const change = tasksAdded(systemIds.uuid(), [full])
    await stores.changes.commit(change)
    expect((await list(change.userId)).items).toEqual(change.newTasks)
    expect(await stores.tasks.get(change.userId, change.newTasks[0]!.id)).toEqual({
      task: change.newTasks[0],
      series: null,
    })
  })

  it.each<[string, Partial<TaskQuery>, string]>([
    ['tags with quotes and backslashes', { tags: ['work', "o'clock\\"] }, 'b'],
    ['any of such tags', { tags: ['home', "o'clock\\"], tagsMode: 'any' }, 'bd'],
    ['a tag that is only the beginning of one', { tags: ['wor'] }, ''],
    ['due on a day, which ends in its zone', { dueAfter: at('04-03T03:59:59.999') }, 'c'],
    ['due on a day, which has ended', { dueAfter: at('04-03T04:00:00.000') }, ''],
    ['two priorities by title', { priorities: ['high', 'low'], sortBy: 'title' }, 'acd'],
    ['a range and a priority', { dueBefore: at('05-01T00:00:00.000'), priorities: ['medium'] }, 'b'],
  ])('narrow down to %s', async (_name, query, expected) => {
    const due = (day: string) => ({ dueAt: at(`04-${day}T10:00:00.000`), dueDate: `2026-04-${day}` })
    const userId = await userWith(
      { title: 'a', priority: 'high', tags: ['Work'], ...due('01') },
      { title: 'b', tags: ['work', "O'Clock\\"], ...due('02') },
      { title: 'c', priority: 'low', dueDate: '2026-04-02', timeZone: 'America/New_York' },
      { title: 'd', priority: 'low', tags: ['home'], completedAt: DONE },
    )
    const page = await list(userId, query)
    expect(page.items.map((task) => task.title).join('')).toBe(expected)
    expect([page.total, page.isTotalExact, page.nextCursor]).toEqual([expected.length, true, null])
  })

  it.each<[string, string[]]>([
    ['rent', ['Pay Rent!', 'Ask about it']],
    ['RENT flat', ['Ask about it']],
    ['pay ren', ['Pay Rent!']],
    ['rent xylophone', []],
    ['ren pay', ['Pay Rent!']],
    ['user@exam', ['Mail user@example.com re: Q3-report']],
    ['q3 report', ['Mail user@example.com re: Q3-report']],
    ['Über', ['ÜBERWEISUNG prüfen']],
    ['überweisung pru', ['ÜBERWEISUNG prüfen']],
    ['work', []],
    ['   ', []],
    ['!?*&|():\'"\\', []],
    ['🎉', []],
  ])('find %j', async (q, expected) => {
    const userId = await userWith(
      { title: 'Pay Rent!', tags: ['work'] },
      { title: 'Ask about it', description: 'the flat and its rent' },
      { title: 'Mail user@example.com re: Q3-report' },
      { title: 'ÜBERWEISUNG prüfen' },
    )
    await userWith({ title: 'rent of another' })
    const page = await list(userId, { q, sortBy: 'created_at' })
    expect(page.items.map((task) => task.title).toSorted()).toEqual(expected.toSorted())
    expect(page.total).toBe(expected.length)
  })

  it.each(['cafe', 'Café', 'CAFE\u0301', 'cafè', 'zurich caf', 'Zürich CAF'])(
    'find words with and without accents by %j',
    async (q) => {
      const all = ['Cafe in Zurich', 'CAFÉ IN ZÜRICH', 'cafe\u0301 in Zu\u0308rich']
      const userId = await userWith(...all.map((title) => ({ title })), { title: 'Cave in Zug' })
      expect((await titles(userId, { q })).toSorted()).toEqual(all.toSorted())
    },
  )

  it.each([
    ['上海', '我家在上海东边'],
    ['边', '我家在上海东边'],
    ['タワー', '東京タワーへ行く'],
    ['ใหม่', 'ซื้อนมใหม่ให้แมว'],
    ['ΟΔΟΣ', 'Οδός Ερμού'],
    ['lodz', 'Łódź'],
    ['strasse 5', 'Große Straße 5'],
    ['שלום', 'שָׁלוֹם'],
    ['2027', 'سنة ٢٠٢٧'],
    ['🎂', 'Party 🎉🎂'],
    ['C++', 'Learn C++'],
    ['c#', 'Learn C#'],
    ['.net', 'Learn .NET'],
    ['node.js', 'Update Node.js'],
    ['#tag', 'Note with #tag'],
    ["o'clo", "Five o'clock"],
    ['👩‍👧 vis', '👩‍👧 visit'],
  ])('find by %j only %j', async (q, expected) => {
    const all = ['我家在上海东边', '東京タワーへ行く', 'ซื้อนมใหม่ให้แมว', 'Οδός Ερμού', 'Łódź', 'Große Straße 5']
    all.push(
      'שָׁלוֹם',
      'سنة ٢٠٢٧',
      'Party 🎉🎂',
      'Learn C++',
      'Learn C#',
      'Learn .NET',
      'Update Node.js',
      'Learn C',
    )
    all.push('Note with #tag', 'Note with tag', "Five o'clock", '👩‍👧 visit', 'internet 海上 上家 🎉', 'Lody')
    const userId = await userWith(...all.map((title) => ({ title })))
    for (const status of ['all', 'active'] as const) {
      for (let time = 0; time < 2; time += 1) expect(await titles(userId, { q, status })).toEqual([expected])
    }
  })

  it('sort titles as people do, numbers by their value', async () => {
    const sorted = [
      '#1',
      '9',
      '10',
      'a b',
      'a c',
      'ab',
      'Äpfel',
      'apple',
      'eclairs',
      'École',
      'Ölen',
      'resume',
      'résumé',
    ]
    sorted.push(
      'Straße 2',
      'Straße 10',
      'task 2',
      'Task 2',
      'Task 10',
      'zebra',
      'Zebra',
      'Ωmega',
      'Яблоко',
      '日本',
    )
    const userId = await userWith(...sorted.map((title) => ({ title })).toReversed())
    expect(await titles(userId, { sortBy: 'title' })).toEqual(sorted)
    expect(await titles(userId, { sortBy: 'title', sortOrder: 'desc' })).toEqual(sorted.toReversed())
    const walked: string[] = []
    let cursor: string | null = null
    do {
      const page: TaskPage = await list(userId, { sortBy: 'title', limit: 4, cursor })
      walked.push(...page.items.map(({ title }) => title))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(walked).toEqual(sorted)
  })

  it.each([
    ['grocreies', 'Buy groceries'],
    ['recieve', 'Receive the parcel'],
    ['dentsit call', 'Call the dentist'],
    ['mlik', 'Get some milk'],
    ['tomorow', 'Pack for tomorrow'],
    ['grocei', 'Buy groceries'],
    ['Brithday', 'A birthday card'],
  ])('find what %j was meant to be', async (q, expected) => {
    const userId = await userWith(
      ...[
        'Buy groceries',
        'Receive the parcel',
        'Call the dentist',
        'Get some milk',
        'Pack for tomorrow',
      ].map((title) => ({ title })),
      { title: 'A birthday card' },
    )
    expect(await titles(userId, { q })).toEqual([expected])
    expect(await titles(userId, { q: 'xylophone' })).toEqual([])
  })

  it('take a misspelt word for the one that is there, until somebody uses it as it is spelt', async () => {
    const userId = await userWith({ title: 'Pay the invoice' }, { title: 'Read a book', tags: ['Later'] })
    for (let time = 0; time < 3; time += 1) {
      expect(await titles(userId, { q: 'invocie' })).toEqual(['Pay the invoice'])
      expect(await titles(userId, { q: 'invocie', tags: ['Later'] })).toEqual([])
    }
    await stores.changes.commit(tasksAdded(userId, [{ title: 'Find out who Invocie is' }]))
    expect(await titles(userId, { q: 'invocie' })).toEqual(['Find out who Invocie is'])
  })

  it('do not take a word for another that is there but filtered out', async () => {
    const userId = await userWith({ title: 'rent', completedAt: DONE }, { title: 'tent' })
    expect(await titles(userId, { q: 'rent', status: 'active' })).toEqual([])
  })

  it.each([
    '\u0000',
    'a\u0000b',
    '\ud800',
    'x'.repeat(5000),
    'w '.repeat(2500),
    "'; drop table tasks; --",
    "a' | 'b",
    '\\',
    '%',
    ':*',
    '<->',
    '& | !',
    'İstanbul ß ﬁ',
    '\u202e',
    '日本語 タスク',
    'ไทย',
    '💥'.repeat(999),
  ])('survive the search text %j', async (q) => {
    const userId = await userWith({ title: 'rent' })
    expect(await titles(userId, { q })).toEqual([])
  })

  it.each([
    'x',
    '',
    'eyJhIjoxfQ',
    '\u0000',
    taskCursor(EVERYTHING, { value: 'soon', priority: 1, id: systemIds.uuid() }),
    taskCursor(EVERYTHING, { value: '0000-01-01T00:00:00.000Z', priority: 1, id: systemIds.uuid() }),
    taskCursor(EVERYTHING, { value: 7, priority: 1, id: systemIds.uuid() }),
    taskCursor(EVERYTHING, { value: '2026-04-01T10:00:00.000Z', priority: 3, id: systemIds.uuid() }),
    taskCursor(EVERYTHING, { value: '2026-04-01T10:00:00.000Z', priority: 1, id: 'x' }),
  ])('refuse the cursor %j by name', async (cursor) => {
    const refusal = await list(systemIds.uuid(), { cursor }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(DomainError)
    expect(refusal).toMatchObject({ code: 'request.invalid', errors: [{ path: 'cursor' }] })
  })

  it('refuse a cursor of another order', async () => {
    const userId = await userWith({}, {}, {})
    const { nextCursor } = await list(userId, { limit: 1 })
    await expect(list(userId, { cursor: nextCursor, sortOrder: 'desc' })).rejects.toThrow('cursor')
    await expect(list(userId, { cursor: nextCursor, sortBy: 'title' })).rejects.toThrow('cursor')
  })

  it('refuse a cursor of another filter, and take the same filter in other words', async () => {
    const [a, b, day] = ['a', 'b', at('04-01T10:00:00.000')]
    const userId = await userWith({ tags: [a, b] }, { tags: [a, b] })
    const filter: Partial<TaskQuery> = { tags: [a, b], priorities: ['high', 'medium'], limit: 1 }
    const { nextCursor: cursor } = await list(userId, filter)
    const again = { ...filter, cursor, limit: 5, tags: ['B', 'A'], priorities: ['medium', 'high'] as const }
    expect((await list(userId, again)).items).toHaveLength(1)
    const others: Partial<TaskQuery>[] = [
      { q: 'a' },
      { status: 'active' },
      { priorities: [] },
      { tags: [a] },
      { tagsMode: 'any' },
      { dueAfter: day },
      { dueBefore: day },
      { isRecurring: false },
      { due: { is: 'none' } },
      { completedAfter: day },
      { completedBefore: day },
      { isTopLevel: true },
      { status: 'deleted' },
      { parentId: systemIds.uuid() },
    ]
    for (const other of others) {
      const refusal = await list(userId, { ...filter, cursor, ...other }).catch((error: unknown) => error)
      expect([other, refusal]).toMatchObject([other, { errors: [{ path: 'cursor' }] }])
    }
  })

  it('count what a filter finds up to a thousand, and say when there is more', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => ({
      title: 'x',
      tags: index === 0 ? ['a'] : ['a', 'b'],
    }))
    const userId = await userWith(...many)
    expect(await list(userId, { limit: 1 })).toMatchObject({ total: 1001, isTotalExact: true })
    expect(await list(userId, { limit: 1, tags: ['b'] })).toMatchObject({ total: 1000, isTotalExact: true })
    expect(await list(userId, { limit: 1, tags: ['a'] })).toMatchObject({
      total: 1000,
      isTotalExact: false,
    })
  })

  describe('of large tasks', () => {
    const LARGE = '\u0001'.repeat(4990) // six bytes each in JSON
    let userId: string
    beforeAll(async () => {
      const tasks = Array.from({ length: 90 }, (_, index) => ({
        title: `Large ${String(index).padStart(2, '0')}`,
        tags: ['large'],
        description: `${LARGE} words`,
        position: index,
        completedAt: index % 3 === 0 ? DONE : null,
      }))
      userId = await userWith(...tasks)
    })

    it.each<Partial<TaskQuery>>([
      {},
      { sortBy: 'title' as const },
      { sortBy: 'priority' as const, sortOrder: 'desc' as const },
      { q: 'words' },
      { q: 'wrods' },
      { tags: ['large'], sortOrder: 'desc' as const },
    ])('end after about a megabyte; cursors lead to each task once (%o)', async (query) => {
      const walked: string[] = []
      let cursor: string | null = null
      do {
        const page: TaskPage = await list(userId, { ...query, page: null, limit: 200, cursor })
        expect(JSON.stringify(page.items).length).toBeLessThan(1_100_000)
        expect(page.total).toBe(90)
        walked.push(...page.items.map(({ id }) => id))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect([walked.length, new Set(walked).size]).toEqual([90, 90])
    })
  })

  it('keep their total on a page beyond the end', async () => {
    const userId = await userWith({ tags: ['a'] }, { tags: ['a'] }, {})
    expect(await list(userId, { page: 9 })).toMatchObject({ items: [], total: 3, nextCursor: null })
    expect(await list(userId, { page: 9, tags: ['a'] })).toMatchObject({ items: [], total: 2 })
  })

  it('see a write at once, totals included', async () => {
    const userId = await userWith({ title: 'one', tags: ['a'] })
    expect((await list(userId, { tags: ['a'] })).total).toBe(1)
    expect(await titles(userId, { q: 'secnod' })).toEqual([])
    await stores.changes.commit(tasksAdded(userId, [{ title: 'second', tags: ['a'] }]))
    expect((await list(userId, { tags: ['a'] })).total).toBe(2)
    expect(await titles(userId, { q: 'secnod' })).toEqual(['second'])
  })

  describe('in order', () => {
    let userId: string
    let all: Task[]
    beforeAll(async () => {
      // Few values each, so that there are ties everywhere, and many tasks without a due date.
      const tasks = Array.from({ length: 60 }, (_, index): Partial<Task> => {
        const due = [null, at('04-01T10:00:00.000'), at('04-02T10:00:00.000'), at('04-02T10:00:00.001')][
          index % 4
        ]!
        return {
          title: ['A', 'ä', 'a b', 'b', 'Z'][index % 5]!,
          priority: PRIORITIES[index % 3]!,
          dueAt: due,
          dueDate: due?.toISOString().slice(0, 10) ?? (index % 8 === 0 ? '2026-04-02' : null),
          createdAt: at(`01-0${1 + (index % 3)}T00:00:00.000`),
          position: 1024 * (index % 7),
          updatedAt: at(`02-0${1 + (index % 4)}T00:00:00.000`),
          completedAt: index % 5 < 2 ? DONE : null,
          tags: index % 2 === 0 ? ['even'] : [],
        }
      })
      userId = await userWith(...tasks)
      all = (await list(userId, { limit: 200 })).items
    })

    const orders = TASK_SORTS.flatMap((sortBy) =>
      (['asc', 'desc'] as const).map((sortOrder) => ({ sortBy, sortOrder })),
    )
    const filters: Partial<TaskQuery>[] = [
      {},
      { status: 'active' as const },
      { priorities: ['high', 'low'] as const },
      { tags: ['even'], status: 'completed' as const },
      { q: 'a' },
    ]

    it.each(orders)(
      'by $sortBy $sortOrder, as in memory, and cursors lead to every task once',
      async (order) => {
        for (const filter of filters) {
          const query = { ...order, ...filter, limit: 200 }
          const whole = (await list(userId, query)).items
          const expected = listInMemory(all, { ...EVERYTHING, ...query }).items
          expect(whole.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
          const walked: Task[] = []
          let cursor: string | null = null
          do {
            const page: TaskPage = await list(userId, { ...order, ...filter, limit: 7, cursor })
            walked.push(...page.items)
            cursor = page.nextCursor
            expect(page.total).toBe(whole.length)
            expect(page.items.length === 7 || cursor === null).toBe(true)
          } while (cursor !== null)
          expect(walked.map((task) => task.id)).toEqual(whole.map((task) => task.id))
          const second = await list(userId, { ...order, ...filter, limit: 7, page: 2 })
          expect(second.items).toEqual(whole.slice(7, 14))
        }
      },
    )
  })

  describe('of tags', () => {
    let userId: string
    beforeAll(async () => {
      userId = await userWith(
        { tags: ['Home', 'work'] },
        { tags: ['home'], completedAt: DONE },
        { tags: ['100%', 'wörk_x'] },
      )
    })
    const tags = (over: object) =>
      stores.tasks.tags(userId, { prefix: '', sort: 'usage', limit: 10, ...over })

    it.each([
      ['HO', ['home']],
      ['w', ['work', 'wörk_x']],
      ['%', []],
      ['w_rk', []],
      ['wörk_', ['wörk_x']],
      ['100%', ['100%']],
      ['\\', []],
    ])('begin with %j', async (prefix, expected) => {
      expect((await tags({ prefix })).map(({ tag }) => tag)).toEqual(expected)
    })
  })
})
