import { describe, expect, it } from 'vitest'
import type { FieldError } from '../../shared/domain/errors.ts'
import { taskView, type TaskView } from '../../shared/domain/tasks/task.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { NOON, tasksAdded } from '../../testing/builders/a-task.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import listTasks from './list-tasks.ts'

interface Page {
  items: TaskView[]
  next_cursor: string | null
  errors: FieldError[]
  [field: string]: unknown
}

const PARENT = '019c0000-0000-7000-8000-0000000000ff'
const due = (day: string) => ({ dueAt: new Date(`2026-04-${day}T10:00:00.000Z`), dueDate: `2026-04-${day}` })
const change = tasksAdded(systemIds.uuid(), [
  { title: 'a rent', priority: 'high', tags: ['Home'], ...due('03'), createdAt: new Date('2026-01-03') },
  { title: 'b', priority: 'low', tags: ['home', 'work'], ...due('01'), createdAt: new Date('2026-01-01') },
  { title: 'c', description: 'the rent', completedAt: NOON, createdAt: new Date('2026-01-02') },
  {
    title: 'd',
    recurrenceRule: 'FREQ=DAILY',
    parentId: PARENT,
    ...due('02'),
    createdAt: new Date('2026-01-04'),
  },
  { title: 'e rent', tags: ['home'], deletedAt: NOON },
])
const { deps, clock, zones } = await testDaybook()
clock.set('2026-04-03T08:00:00.000Z')
await deps.changes.commit(change)

async function get(query = '', userId = change.userId) {
  const { status, body } = await ask(listTasks, deps, userId, { query })
  return { status, body: body as Page }
}

async function added(tasks: Parameters<typeof tasksAdded>[1]) {
  const more = tasksAdded(systemIds.uuid(), tasks)
  await deps.changes.commit(more)
  return more
}

describe('list-tasks', () => {
  it('answers a page of tasks, by due date unless told otherwise', async () => {
    const [a, b, c, d] = change.newTasks.map(taskView)
    expect(await get()).toEqual({
      status: 200,
      body: { items: [b, d, a, c], page: 1, limit: 50, total: 4, total_is_exact: true, next_cursor: null },
    })
  })

  it.each([
    ['?status=active', 'bda'],
    ['?status=completed', 'c'],
    ['?priority=high,low', 'ba'],
    ['?priority=high,%20,high', 'a'],
    ['?tags=HOME', 'ba'],
    ['?tags=', 'bdac'],
    ['?tags=home&tags=work', 'b'],
    ['?priority=high&priority=low', 'ba'],
    ['?tags=home,work', 'b'],
    ['?tags=home,nowhere&tags_mode=any', 'ba'],
    ['?due_after=2026-04-02T12:00:00%2B02:00', 'da'],
    ['?due_before=2026-04-02T10:00:00Z', 'b'],
    ['?due_after=2026-04-02T10:00:00', 'da'],
    ['?due_after=2026-04-02', 'da'],
    ['?due_before=2026-04-02', 'b'],
    ['?due_after=2026-04-03', 'a'],
    ['?due_before=2026-04-03', 'bd'],
    ['?due=none', 'c'],
    ['?due=overdue', 'bd'],
    ['?due=overdue&status=active&sort_by=title', 'bd'],
    ['?due=today', 'a'],
    ['?completed_after=2026-03-02T12:00:00Z', 'c'],
    ['?completed_before=2026-03-02T12:00:00Z', ''],
    ['?completed_before=2026-03-02T12:00:00.001Z&status=completed', 'c'],
    ['?top_level=true', 'bac'],
    ['?top_level=false', 'bdac'],
    ['?status=deleted', 'e'],
    ['?status=deleted&q=rent', 'e'],
    ['?status=deleted&tags=home', 'e'],
    ['?status=deleted&tags=work', ''],
    ['?sort_by=completed_at', 'cbda'],
    ['?sort_by=completed_at&sort_order=asc', 'cbda'],
    ['?is_recurring=true', 'd'],
    ['?is_recurring=false', 'bac'],
    [`?parent_id=${PARENT.toUpperCase()}`, 'd'],
    ['?q=rent', 'ac'],
    ['?q=RE&status=completed', 'c'],
    ['?q=', 'bdac'],
    ['?q=%20', 'bdac'],
    ['?q=!', ''],
    ['?sort_by=title&sort_order=desc', 'dcba'],
    ['?sort_by=priority', 'adcb'],
    ['?sort_by=priority&sort_order=asc', 'bdca'],
    ['?sort_by=created_at', 'dacb'],
    ['?sort_by=created_at&sort_order=asc', 'bcad'],
    ['?sort_by=due_at&sort_order=desc', 'adbc'],
    ['?limit=2&page=2', 'ac'],
    ['?limit=3&page=3', ''],
  ])('answers %s', async (query, expected) => {
    const got = await get(query)
    expect(got.status).toBe(200)
    expect(got.body.items.map((task) => task.title[0]).join('')).toBe(expected)
  })

  it('tells overdue and due today by the day of the user, whatever the zone of a task', async () => {
    const day = (dueDate: string, timeZone: string) => ({
      title: `${dueDate} ${timeZone}`,
      dueDate,
      timeZone,
    })
    const { userId } = await added([
      // On the clocks of Tokyo it is 00:30 of the 4th.
      ...['2026-04-02', '2026-04-03', '2026-04-04', '2026-04-05'].flatMap((date) =>
        ['Pacific/Kiritimati', 'Asia/Tokyo', 'America/Adak'].map((zone) => day(date, zone)),
      ),
      { title: 'in the morning', dueAt: new Date('2026-04-03T15:10:00.000Z'), dueDate: '2026-04-04' },
      { title: 'at night', dueAt: new Date('2026-04-04T14:59:59.999Z'), dueDate: '2026-04-04' },
      { title: 'at midnight', dueAt: new Date('2026-04-04T15:00:00.000Z'), dueDate: '2026-04-04' },
      { title: 'before', dueAt: new Date('2026-04-03T14:00:00.000Z'), dueDate: '2026-04-03' },
      { title: 'never' },
    ])
    zones.set(userId, 'Asia/Tokyo')
    clock.set('2026-04-03T15:30:00.000Z')
    const titlesOf = async (query: string) =>
      (await get(query, userId)).body.items.map(({ title }) => title.split(' ', 3).join(' ')).toSorted()
    const of = (...dates: string[]) =>
      dates.flatMap((date) =>
        ['America/Adak', 'Asia/Tokyo', 'Pacific/Kiritimati'].map((zone) => `${date} ${zone}`),
      )
    for (const more of ['', '&sort_by=priority', '&sort_by=due_at&sort_order=desc', '&sort_by=title']) {
      const overdue = [...of('2026-04-02', '2026-04-03'), 'before', 'in the morning']
      expect(await titlesOf(`?due=overdue${more}`)).toEqual(overdue)
      expect(await titlesOf(`?due=today${more}`)).toEqual([...of('2026-04-04'), 'at night', 'in the morning'])
      expect(await titlesOf(`?due=none${more}`)).toEqual(['never'])
    }
  })

  it('finds what becomes overdue while nothing is written, and goes on from page to page', async () => {
    const hours = ['09', '10', '11'].map((hour) => new Date(`2026-05-05T${hour}:00:00.000Z`))
    const { userId } = await added(hours.map((dueAt) => ({ dueAt, dueDate: '2026-05-05' })))
    const first = async (time: string) => {
      clock.set(`2026-05-05T${time}:00.000Z`)
      return (await get('?due=overdue&limit=1', userId)).body
    }
    expect([(await first('09:30')).total, (await first('10:30')).total]).toEqual([1, 2])
    const { next_cursor: cursor } = await first('10:31')
    clock.set('2026-05-05T10:40:00.000Z')
    const second = await get(`?due=overdue&limit=1&cursor=${cursor}`, userId)
    expect(second).toMatchObject({ status: 200, body: { total: 2, next_cursor: null } })
  })

  it('finds tags with commas', async () => {
    const { userId } = await added([
      { title: 'x', tags: ['Rome, Italy', 'trip'] },
      { title: 'y', tags: ['rome', 'italy'] },
    ])
    const found = async (query: string) => (await get(query, userId)).body.items.map(({ title }) => title)
    expect(await found('?tags=trip&tags=rome,%20italy')).toEqual(['x'])
    expect(await found('?tags=rome,%20italy&tags=')).toEqual(['x'])
    expect(await found('?tags=Rome,Italy')).toEqual(['y'])
  })

  it('leads through the pages by a cursor', async () => {
    const first = await get('?limit=3&sort_by=title')
    expect(first.body).toMatchObject({ page: 1, limit: 3, total: 4 })
    const second = await get(`?limit=3&sort_by=title&page=7&cursor=${first.body.next_cursor}`)
    expect(second.body).toMatchObject({ page: null, total: 4, next_cursor: null })
    expect(second.body.items.map((task) => task.title)).toEqual(['d'])
  })

  it.each([
    ['status=open', 'status'],
    ['priority=urgent', 'priority.0'],
    ['tags=%00', 'tags.0'],
    [`tags=${Array.from({ length: 21 }, (_, index) => `t${index}`).join()}`, 'tags'],
    ['tags_mode=none', 'tags_mode'],
    ['due_after=tomorrow', 'due_after'],
    ['due_before=2026-04-31', 'due_before'],
    ['is_recurring=1', 'is_recurring'],
    ['parent_id=1', 'parent_id'],
    ['sort_by=color', 'sort_by'],
    ['due=tomorrow', 'due'],
    ['due=overdue&status=completed', 'due'],
    ['due=overdue&status=deleted', 'due'],
    ['completed_before=2026-04-02T10:00:00Z&status=active', 'completed_after'],
    ['completed_after=2026-04-02T10:00:00Z&due=overdue', 'completed_after'],
    ['top_level=1', 'top_level'],
    ['sort_order=up', 'sort_order'],
    ['tags=,', 'tags.0'],
    ['tags=%20,%20', 'tags.0'],
    ['tags=&tags=', 'tags.0'],
    ['priority=,', 'priority.0'],
    ['limit=1&limit=1', 'limit'],
    ['due_after=2027-03-15T09:00:00+01:00', 'due_after'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=2.5', 'limit'],
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=51&limit=200', 'page'],
    ['page=9007199254740991', 'page'],
    ['cursor=', 'cursor'],
    ['cursor=%00', 'cursor'],
    ['cursor=eyJhIjoxfQ', 'cursor'],
  ])('refuses %s and names %s', async (query, path) => {
    const got = await get(`?${query}`)
    expect(got.status).toBe(422)
    expect(got.body.errors.map((error) => error.path)).toEqual([path])
  })

  it.each([
    ['dueAfter=2026-04-02', 'dueAfter: is not a known field. Did you mean due_after?'],
    ['tag=home', 'tag: is not a known field. Did you mean tags?'],
    ['sort=title', 'sort: is not a known field. Did you mean sort_by?'],
    ['colour=red', 'colour: is not a known field'],
  ])('refuses the unknown %s and names the nearest that is known', async (query, detail) => {
    expect(await get(`?${query}`)).toMatchObject({ status: 422, body: { detail } })
  })

  it('answers about a megabyte at a time and refuses a larger page by number', async () => {
    const large = Array.from({ length: 50 }, (_, index) => ({
      title: `${index}`,
      description: '\u0001'.repeat(5000),
    }))
    const { userId } = await added(large)
    const first = await get('?limit=200', userId)
    expect(first.body).toMatchObject({ page: null, total: 50 })
    const second = await get(`?limit=200&cursor=${first.body.next_cursor}`, userId)
    const titles = [first, second].flatMap(({ body }) => body.items.map(({ title }) => title))
    expect(titles.toSorted()).toEqual(large.map(({ title }) => title).toSorted())
    expect(second.body.next_cursor).toBeNull()
    const refused = await get('?limit=200&page=1', userId)
    expect([refused.status, refused.body.errors.map(({ path }) => path)]).toEqual([422, ['page']])
    expect((await get('?limit=25&page=2', userId)).body.items).toHaveLength(25)
  })

  it('points to the cursor when a page lies too deep', async () => {
    expect((await get('?page=50&limit=200')).status).toBe(200)
    const refused = await get('?page=51&limit=200')
    expect(refused.body.errors[0]?.message).toContain('next_cursor')
  })

  it('shows nobody the tasks of another', async () => {
    expect((await get('', systemIds.uuid())).body).toMatchObject({ items: [], total: 0 })
  })
})
