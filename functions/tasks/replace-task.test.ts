import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next } = service

const put = (user: Client, id: string, body: unknown, query = '') =>
  user.send('PUT', `/api/tasks/${id}${query}`, body)

/** What a client sends back of the task it got. */
const writable = (task: TaskView) => ({
  title: task.title,
  description: task.description,
  priority: task.priority,
  tags: task.tags,
  due_at: task.due_at,
  due_date: task.due_date,
  time_zone: task.time_zone,
  remind_at: task.remind_at,
  parent_id: task.parent_id,
  recurrence_rule: task.recurrence_rule,
  repeat_from: task.repeat_from,
  month_end: task.month_end,
  exdates: task.exdates,
  rdates: task.rdates,
})

describe('PUT /api/tasks/:id', () => {
  it('gives fields that are left out their defaults, but for the zone', async () => {
    const user = newUser()
    const parent = await user.create()
    const task = await user.create({
      description: 'by transfer',
      priority: 'high',
      tags: ['home'],
      parent_id: parent.id,
      due_at: '2026-04-01T09:00:00Z',
      remind_at: '2026-04-01T08:00:00Z',
      time_zone: 'Asia/Tokyo',
    })
    const got = await put(user, task.id, { title: 'Pay the rent' })
    expect(got.status).toBe(200)
    expect(got.headers.get('etag')).toBe('"2"')
    expect(got.task).toEqual({
      ...task,
      title: 'Pay the rent',
      description: null,
      priority: 'medium',
      priority_color: 'yellow',
      tags: [],
      parent_id: null,
      due_at: null,
      due_date: null,
      remind_at: null,
      version: 2,
    })
  })

  it.each(['', '?scope=future', '?scope=all'])(
    'changes nothing when it repeats everything %s',
    async (query) => {
      const user = newUser({ timeZone: 'Europe/Berlin' })
      const plain = await user.create({ due_date: '2026-04-01', tags: ['home'], description: '' })
      const timed = await user.create({ due_at: '2026-04-01T09:00:00Z', remind_at: '2026-04-01T08:00:00Z' })
      const series = await user.create({
        due_at: '2026-04-30T09:00:00Z',
        recurrence_rule: 'monthly',
        repeat_from: 'completion',
        exdates: ['2026-05-30T09:00:00Z'],
        rdates: ['2026-06-01T09:00:00Z'],
        tags: ['home'],
      })
      const days = await user.create({ due_date: '2026-04-01', recurrence_rule: 'FREQ=DAILY;COUNT=3' })
      const seen = (await user.events()).length
      for (const task of [plain, timed, series, days]) {
        const got = await put(user, task.id, writable(task), query)
        expect([got.status, got.task]).toEqual([200, task])
      }
      expect(await user.events(seen)).toEqual([])
    },
  )

  it('changes nothing when it repeats a completed occurrence, even of a series that has changed since', async () => {
    const user = newUser()
    const first = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'weekly' })
    const second = (await next(user, first.id))!
    await user.does('PATCH', `/api/tasks/${second.id}`, { recurrence_rule: 'daily' })
    const seen = (await user.events()).length
    expect(await put(user, first.id, writable(first))).toMatchObject({
      status: 200,
      task: { is_completed: true },
    })
    expect(await user.events(seen)).toEqual([])
  })

  it('keeps excluded days and month_end of a series that is moved', async () => {
    const user = newUser()
    const task = await user.create({
      due_at: '2026-01-31T09:00:00Z',
      recurrence_rule: 'monthly',
      exdates: ['2026-02-28T09:00:00Z'],
    })
    await put(
      user,
      task.id,
      { ...writable(task), title: 'Pay the rent', due_at: '2026-01-31T18:00:00Z' },
      '?scope=future',
    )
    expect(await next(user, task.id, '2026-01-31T19:00:00Z')).toMatchObject({
      due_at: '2026-03-31T18:00:00.000Z',
      title: 'Pay the rent',
    })
  })

  it('ends the series when the rule is left out', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'weekly' })
    const { recurrence_rule: _rule, ...rest } = writable(task)
    expect((await put(user, task.id, rest)).task).toMatchObject({ is_recurring: false, due_at: task.due_at })
    expect((await user.events()).at(-1)).toMatchObject({ type: 'series.ended' })
  })

  it.each([
    [{}, ['title']],
    [{ title: 'x', tags: ['\ud800'] }, ['tags.0']],
    [{ title: 'x', id: 'y', version: 2 }, ['id', 'version']],
    [{ title: 'x', recurrence_rule: 'FREQ=DAILY;BYSETPOS=1' }, ['recurrence_rule']],
  ])('refuses %j', async (body, paths) => {
    const user = newUser()
    const task = await user.create({ due_date: '2026-03-02' })
    const input = 'recurrence_rule' in body ? { ...body, due_date: task.due_date } : body
    const got = await put(user, task.id, input)
    expect([got.status, got.problem.errors?.map(({ path }) => path)]).toEqual([422, paths])
  })
})
