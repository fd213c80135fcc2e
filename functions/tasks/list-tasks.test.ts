import { describe, expect, it } from 'vitest'
import type { FieldError } from '../../shared/domain/errors.ts'
import { taskView, type TaskView } from '../../shared/domain/task.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { NOON, tasksAdded } from '../../shared/testing/a-task.ts'
import { requiresLogin } from '../../shared/testing/obligations.ts'
import { testDeps, tokenOf } from '../../shared/testing/test-deps.ts'
import listTasks from './list-tasks.ts'

interface Got {
  status: number
  body: { items: TaskView[]; next_cursor: string | null; errors: FieldError[]; [field: string]: unknown }
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
])
const deps = testDeps()
await deps.changes.commit(change)

async function get(query = '', userId = change.userId, path = '/api/tasks'): Promise<Got> {
  const headers = { authorization: `Bearer ${tokenOf(userId)}` }
  const answer = await listTasks.createApp(deps).request(`${path}${query}`, { headers })
  return { status: answer.status, body: (await answer.json()) as Got['body'] }
}

describe('list-tasks', () => {
  requiresLogin(listTasks)

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
    ['?tags=home,work', 'b'],
    ['?tags=home,nowhere&tags_mode=any', 'ba'],
    ['?due_after=2026-04-02T12:00:00%2B02:00', 'da'],
    ['?due_before=2026-04-02T10:00:00Z', 'b'],
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
    ['due_before=2026-04-02', 'due_before'],
    ['is_recurring=1', 'is_recurring'],
    ['parent_id=1', 'parent_id'],
    ['sort_by=color', 'sort_by'],
    ['sort_order=up', 'sort_order'],
    ['priority=high&priority=low', 'priority'],
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
    [
      `cursor=${Buffer.from('["due_at","asc","0000-01-01T00:00:00.000Z",1,"x"]').toString('base64url')}`,
      'cursor',
    ],
  ])('refuses %s and names %s', async (query, path) => {
    const got = await get(`?${query}`)
    expect(got.status).toBe(422)
    expect(got.body.errors.map((error) => error.path)).toEqual([path])
  })

  it('points to the cursor when a page lies too deep', async () => {
    expect((await get('?page=50&limit=200')).status).toBe(200)
    const refused = await get('?page=51&limit=200')
    expect(refused.body.errors[0]?.message).toContain('next_cursor')
  })

  it('answers below the path of the user as well, and of nobody else', async () => {
    expect((await get('', change.userId, `/api/${change.userId}/tasks`)).body.items).toHaveLength(4)
    expect((await get('', change.userId, `/api/${systemIds.uuid()}/tasks`)).status).toBe(403)
  })

  it('shows nobody the tasks of another', async () => {
    expect((await get('', systemIds.uuid())).body).toMatchObject({ items: [], total: 0 })
  })
})
