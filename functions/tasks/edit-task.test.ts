import { describe, expect, it } from 'vitest'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, sql } = service

const patch = (user: Client, id: string, body: unknown, headers?: Record<string, string>) =>
  user.send('PATCH', `/api/tasks/${id}`, body, headers)

describe('PATCH /api/tasks/:id', () => {
  it('changes what is named, and tells it with old and new', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const task = await user.create({ tags: ['home'], description: 'by transfer', due_date: '2026-04-01' })
    service.at('2026-03-02T09:00:00Z')
    const got = await patch(user, task.id, {
      title: 'Pay the rent',
      priority: 'high',
      due_at: '2026-04-01T22:30:00Z',
      description: null,
    })
    expect(got.status).toBe(200)
    expect(got.headers.get('etag')).toBe('"2"')
    expect(got.task).toEqual({
      ...task,
      title: 'Pay the rent',
      priority: 'high',
      priority_color: 'red',
      description: null,
      due_at: '2026-04-01T22:30:00.000Z',
      due_date: '2026-04-02',
      version: 2,
      updated_at: '2026-03-02T09:00:00.000Z',
    })
    const [, event, ...others] = await user.events()
    expect(others).toEqual([])
    expect(event).toMatchObject({ seq: 2, type: 'task.updated', subject: `task/${task.id}` })
    expect(event?.data).toEqual({
      task: got.task,
      actor: { type: 'user', id: user.id },
      changes: {
        title: { old: 'Pay rent', new: 'Pay the rent' },
        priority: { old: 'medium', new: 'high' },
        description: { old: 'by transfer', new: null },
        due_at: { old: null, new: '2026-04-01T22:30:00.000Z' },
        due_date: { old: '2026-04-01', new: '2026-04-02' },
      },
    })
  })

  it.each([
    [{}],
    [{ title: 'Pay rent' }],
    [{ title: ' Pay rent', tags: ['home'], due_at: null, remind_at: null }],
  ])('changes nothing with %j: no event and the same version', async (body) => {
    const user = newUser()
    const task = await user.create({ tags: ['home'], due_date: '2026-04-01' })
    const got = await patch(user, task.id, body)
    expect([got.status, got.task]).toEqual([200, task])
    expect(await user.events()).toHaveLength(1)
  })

  it.each([
    [{ due_date: '2026-05-05' }, { due_at: null, due_date: '2026-05-05' }],
    [{ due_date: null }, { due_at: null, due_date: null }],
    [{ due_at: null }, { due_at: null, due_date: null }],
    [
      { due_at: null, due_date: '2026-05-05' },
      { due_at: null, due_date: '2026-05-05' },
    ],
    [{ due_at: '2026-05-05T02:00:00Z' }, { due_at: '2026-05-05T02:00:00.000Z', due_date: '2026-05-05' }],
    [
      { due_at: '2026-05-05T02:00:00Z', time_zone: 'America/New_York' },
      { due_at: '2026-05-05T02:00:00.000Z', due_date: '2026-05-04' },
    ],
    [{ time_zone: 'Asia/Tokyo' }, { due_at: '2026-04-01T20:00:00.000Z', due_date: '2026-04-02' }],
  ])('with %j makes a timed task due %j', async (body, due) => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-04-01T20:00:00Z' })
    expect((await patch(user, task.id, body)).task).toMatchObject(due)
  })

  it('refuses a due_date that is not the day of due_at', async () => {
    const user = newUser()
    const task = await user.create()
    const got = await patch(user, task.id, { due_at: '2026-04-01T20:00:00Z', due_date: '2026-04-02' })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'due_date' }] } })
  })

  it.each([
    [{ title: null }, 'title'],
    [{ title: 'x'.repeat(256) }, 'title'],
    [{ title: '\u0000' }, 'title'],
    [{ title: '\udc00' }, 'title'],
    [{ tags: null }, 'tags'],
    [{ tags: Array.from({ length: 21 }, (_, n) => `tag ${n}`) }, 'tags'],
    [{ priority: null }, 'priority'],
    [{ time_zone: null }, 'time_zone'],
    [{ version: 3 }, 'version'],
    [{ is_completed: true }, 'is_completed'],
    [{ recurrence_rule: 'FREQ=MINUTELY', due_at: '2026-04-01T20:00:00Z' }, 'recurrence_rule'],
    [{ recurrence_rule: 'daily' }, 'due_at'],
    [{ exdates: ['2026-04-01T20:00:00Z'] }, 'recurrence_rule'],
    [{ parent_id: '0199d0a0-0000-7000-8000-000000000000' }, 'parent_id'],
  ])('refuses %j, naming %s', async (body, path) => {
    const user = newUser()
    const task = await user.create()
    expect(await patch(user, task.id, body)).toMatchObject({ status: 422, problem: { errors: [{ path }] } })
    expect(await user.events()).toHaveLength(1)
  })

  it('refuses an unknown scope, an id that is none, and what is no JSON', async () => {
    const user = newUser()
    const task = await user.create()
    expect(await user.send('PATCH', `/api/tasks/${task.id}?scope=past`, {})).toMatchObject({ status: 422 })
    expect(await patch(user, 'rent', {})).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'id' }] },
    })
    expect(await patch(user, task.id, '{')).toMatchObject({ status: 400 })
    expect(await patch(user, task.id, {}, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 })
  })

  it('refuses to put a task below itself, at any distance', async () => {
    const user = newUser()
    const top = await user.create()
    const child = await user.create({ parent_id: top.id })
    const grandchild = await user.create({ parent_id: child.id })
    for (const parent_id of [top.id, child.id, grandchild.id]) {
      const got = await patch(user, top.id, { parent_id })
      expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'parent_id' }] } })
    }
    expect((await patch(user, child.id, { parent_id: null })).task.parent_id).toBeNull()
    expect((await patch(user, top.id, { parent_id: child.id })).task.parent_id).toBe(child.id)
  })

  it('lets no circle come of tasks put below each other at the same time', async () => {
    const user = newUser()
    const tasks = await Promise.all(Array.from({ length: 6 }, () => user.create()))
    const answers = await Promise.all(
      tasks.map(({ id }, n) => patch(user, id, { parent_id: tasks[(n + 1) % tasks.length]!.id })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(1)
  })

  it('keeps tag counts when labels change case or place', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['Home', 'rent'] })
    await patch(user, task.id, { tags: ['rent', 'HOME', 'new'] })
    const tags = await sql`select label, active::int from tags where user_id = ${user.id} order by key`
    expect([...tags]).toEqual([
      { label: 'Home', active: 1 },
      { label: 'new', active: 1 },
      { label: 'rent', active: 1 },
    ])
  })
})
