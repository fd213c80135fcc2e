import { describe, expect, it } from 'vitest'
import { taskService, type Client } from './testing/task-service.ts'

const service = await taskService()
const { newUser, next, sql } = service

const patch = (user: Client, id: string, body: unknown, headers?: Record<string, string>) =>
  user.send('PATCH', `/api/tasks/${id}`, body, headers)

describe('PATCH /api/tasks/:id', () => {
  it('changes what is named, and tells it with old and new', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const task = await user.create({ tags: ['home'], description: 'by transfer', due_date: '2026-04-01' })
    service.at('2026-03-02T09:00:00Z')
    const got = await patch(user, task.id, {
      ...{ title: 'Pay the rent', priority: 'high', due_at: '2026-04-01T22:30:00Z', description: null },
    })
    expect(got.status).toBe(200)
    expect(got.headers.get('etag')).toBe('"2"')
    expect(got.task).toEqual({
      ...task,
      ...{ title: 'Pay the rent', priority: 'high', priority_color: 'red', description: null },
      ...{ due_at: '2026-04-01T22:30:00.000Z', due_date: '2026-04-02' },
      ...{ version: 2, updated_at: '2026-03-02T09:00:00.000Z' },
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
    [{ recurrence_rule: 'FREQ=HOURLY', due_at: '2026-04-01T20:00:00Z' }, 'recurrence_rule'],
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

  it('has no task of another user, and no deleted one', async () => {
    const [ada, eve] = [newUser(), newUser()]
    const task = await ada.create()
    expect(await patch(eve, task.id, { title: 'x' })).toMatchObject({ status: 404 })
    expect(await eve.send('PATCH', `/api/${ada.id}/tasks/${task.id}`, {})).toMatchObject({ status: 403 })
    expect(await ada.send('PATCH', `/api/${ada.id}/tasks/${task.id}`, { title: 'y' })).toMatchObject({
      status: 200,
    })
    await ada.does('DELETE', `/api/tasks/${task.id}`)
    expect(await patch(ada, task.id, { title: 'x' })).toMatchObject({ status: 404 })
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

describe('PATCH a task of a series', () => {
  /** Mondays at 9:00 in Berlin, from 2 March 2026; the clocks change on 29 March. */
  const WEEKLY = {
    ...{ title: 'Water plants', due_at: '2026-03-02T09:00:00+01:00', time_zone: 'Europe/Berlin' },
    ...{ recurrence_rule: 'weekly' },
  }
  const edit = (user: Client, id: string, scope: string, body: object) =>
    user.does('PATCH', `/api/tasks/${id}?scope=${scope}`, body)
  const begin = async (user: Client, input: object = {}) => {
    service.at('2026-03-01T08:00:00Z')
    return user.create({ ...WEEKLY, ...input })
  }

  it('this: changes one occurrence, the next is as before', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', {
      title: 'Water all plants',
      due_at: '2026-03-03T18:00:00Z',
    })
    expect(edited).toMatchObject({
      ...{ title: 'Water all plants', due_at: '2026-03-03T18:00:00.000Z', occurrence_at: task.occurrence_at },
    })
    expect((await user.events()).map(({ type }) => type)).toEqual(['task.created', 'task.updated'])
    expect(await next(user, task.id)).toMatchObject({
      title: 'Water plants',
      due_at: '2026-03-09T08:00:00.000Z',
    })
  })

  it('future: changes this occurrence and those to come', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'future', { title: 'Water all plants', tags: ['green'], priority: 'high' })
    const events = await user.events()
    expect(events.map(({ type }) => type)).toEqual(['task.created', 'task.updated', 'series.updated'])
    expect(events[2]).toMatchObject({
      ...{ subject: `series/${task.series_id}`, data: { series: { title: 'Water all plants', version: 2 } } },
    })
    expect(await next(user, task.id)).toMatchObject({
      ...{ title: 'Water all plants', tags: ['green'], priority: 'high', due_at: '2026-03-09T08:00:00.000Z' },
    })
  })

  it('future: gives the series what this occurrence alone had before', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'this', { title: 'Water all plants' })
    const again = await edit(user, task.id, 'future', { title: 'Water all plants' })
    expect(again.version).toBe(3)
    expect(await next(user, task.id)).toMatchObject({ title: 'Water all plants' })
  })

  it('all: rewrites the content of earlier occurrences too, each with its event, but not their times', async () => {
    const user = newUser()
    const first = await begin(user)
    const second = (await next(user, first.id))!
    const third = (await next(user, second.id))!
    const seen = (await user.events()).at(-1)!.seq
    await edit(user, third.id, 'all', { title: 'Water all plants', due_at: '2026-03-16T10:00:00+01:00' })
    const events = await user.events(seen)
    expect(events.map(({ type, subject }) => [type, subject])).toEqual([
      ['task.updated', `task/${third.id}`],
      ['series.updated', `series/${first.series_id}`],
      ['task.updated', `task/${second.id}`],
      ['task.updated', `task/${first.id}`],
    ])
    expect(events.slice(2).map(({ data }) => data.changes)).toEqual([
      { title: { old: 'Water plants', new: 'Water all plants' } },
      { title: { old: 'Water plants', new: 'Water all plants' } },
    ])
  })

  it('all: never puts an earlier occurrence below itself', async () => {
    const user = newUser()
    const first = await begin(user)
    const second = (await next(user, first.id))!
    expect(await edit(user, second.id, 'all', { parent_id: first.id })).toMatchObject({ parent_id: first.id })
    const [row] = await sql`select parent_id from tasks where id = ${first.id}`
    expect(row).toEqual({ parent_id: null })
  })

  it('future: a new time on the same day moves the series and keeps its excluded days', async () => {
    const user = newUser()
    const task = await begin(user, { exdates: ['2026-03-09T09:00:00+01:00'] })
    const moved = await edit(user, task.id, 'future', { due_at: '2026-03-02T18:30:00+01:00' })
    expect(moved).toMatchObject({
      due_at: '2026-03-02T17:30:00.000Z',
      occurrence_at: '2026-03-02T17:30:00.000Z',
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-16T17:30:00.000Z' })
  })

  it('future: a new day moves the series from here on', async () => {
    const user = newUser()
    const task = await begin(user)
    const moved = await edit(user, task.id, 'future', { due_at: '2026-03-04T09:00:00+01:00' })
    expect(moved).toMatchObject({ occurrence_at: '2026-03-04T08:00:00.000Z', series_id: task.series_id })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-11T08:00:00.000Z' })
    const history = await sql`select occurrence_at, state from occurrences where series_id = ${task.series_id}
      order by occurrence_at`
    expect(history.map((row) => row.state)).toEqual(['completed', 'open'])
  })

  it.each([
    ['a new time', '2026-02-28T18:00:00Z', '2026-03-31T18:00:00.000Z'],
    ['an excluded day', null, '2026-03-31T09:00:00.000Z'],
  ])('remembers in February that a series started on the 31st: %s', async (_, due_at, expected) => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const january = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'monthly' })
    const february = (await next(user, january.id, '2026-01-31T10:00:00Z'))!
    expect(february.due_date).toBe('2026-02-28')
    const body = due_at ? { due_at } : { exdates: ['2026-05-31T09:00:00Z'] }
    await edit(user, february.id, 'future', body)
    expect(await next(user, february.id, '2026-02-28T19:00:00Z')).toMatchObject({ due_at: expected })
  })

  it('ends a series by UNTIL without forgetting how it started', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const january = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'monthly' })
    const february = (await next(user, january.id, '2026-01-31T10:00:00Z'))!
    await edit(user, february.id, 'this', { recurrence_rule: 'FREQ=MONTHLY;UNTIL=20260331' })
    const march = (await next(user, february.id, '2026-02-28T10:00:00Z'))!
    expect(march).toMatchObject({ due_date: '2026-03-31', recurrence_rule: 'FREQ=MONTHLY;UNTIL=20260331' })
    expect(await next(user, march.id, '2026-03-31T10:00:00Z')).toBeUndefined()
    expect((await user.events()).at(-1)).toMatchObject({ type: 'series.ended' })
  })

  it('refuses an UNTIL that lies before the open occurrence', async () => {
    const user = newUser()
    const task = await begin(user)
    const got = await patch(user, task.id, { recurrence_rule: 'FREQ=WEEKLY;UNTIL=20260301' })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'recurrence_rule' }] } })
  })

  it('changes the rule from this occurrence on', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    const seen = (await user.events()).at(-1)!.seq
    const edited = await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=DAILY;COUNT=2' })
    expect(edited).toMatchObject({ recurrence_rule: 'FREQ=DAILY;COUNT=2', due_at: second.due_at })
    const events = await user.events(seen)
    expect(events.map(({ type }) => type)).toEqual(['task.updated', 'series.updated'])
    expect(events[0]?.data.changes).toEqual({
      recurrence_rule: { old: 'FREQ=WEEKLY', new: 'FREQ=DAILY;COUNT=2' },
    })
    const third = (await next(user, second.id))!
    expect(third.due_at).toBe('2026-03-10T08:00:00.000Z')
    expect(await next(user, third.id)).toBeUndefined()
  })

  it('moves this occurrence to the first day of the new rule', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;BYDAY=TH' })
    expect(edited).toMatchObject({
      due_at: '2026-03-05T08:00:00.000Z',
      occurrence_at: '2026-03-05T08:00:00.000Z',
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-12T08:00:00.000Z' })
  })

  it('puts an occurrence moved by itself back on its day when the rule changes', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'this', { due_at: '2026-03-03T09:00:00+01:00' })
    const edited = await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })
    expect(edited.due_at).toBe('2026-03-02T08:00:00.000Z')
  })

  it('takes COUNT down to what is left when the series moves', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=4' })
    const second = (await next(user, task.id))!
    const moved = await edit(user, second.id, 'future', { due_at: '2026-03-11T09:00:00+01:00' })
    expect(moved.recurrence_rule).toBe('FREQ=WEEKLY;COUNT=3')
    const third = (await next(user, second.id))!
    const fourth = (await next(user, third.id))!
    expect(await next(user, fourth.id)).toBeUndefined()
  })

  it('takes COUNT down also when the request repeats the rule, and when it repeats from completion', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=DAILY;COUNT=4', repeat_from: 'completion' })
    // Completed ten days late: days that passed were never part of such a series.
    const second = (await next(user, task.id, '2026-03-12T08:00:00Z'))!
    expect(second.due_at).toBe('2026-03-13T08:00:00.000Z')
    const moved = await edit(user, second.id, 'future', {
      ...{ due_at: '2026-03-14T09:00:00+01:00', recurrence_rule: second.recurrence_rule },
    })
    expect(moved.recurrence_rule).toBe('FREQ=DAILY;COUNT=3')
  })

  it('moves the open occurrence on when its day is excluded', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=3' })
    const edited = await edit(user, task.id, 'this', { exdates: [WEEKLY.due_at] })
    expect(edited).toMatchObject({
      ...{ due_at: '2026-03-09T08:00:00.000Z', recurrence_rule: 'FREQ=WEEKLY;COUNT=3', version: 2 },
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-16T08:00:00.000Z' })
  })

  it('moves an excluded occurrence by the rule counted from its day when the series repeats from completion', async () => {
    const user = newUser()
    const every10Days = { recurrence_rule: 'FREQ=DAILY;INTERVAL=10', repeat_from: 'completion' }
    const task = await begin(user, every10Days)
    const second = (await next(user, task.id, '2026-03-05T12:00:00Z'))!
    const edited = await edit(user, second.id, 'this', { exdates: [second.due_at] })
    expect([second.due_date, edited.due_date]).toEqual(['2026-03-15', '2026-03-25'])
  })

  it('refuses to exclude every day that is left', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=1' })
    const got = await patch(user, task.id, { exdates: [WEEKLY.due_at] })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'exdates' }] } })
  })

  it('does not go back to an added date of the past when the rule changes', async () => {
    const user = newUser()
    const task = await begin(user, { rdates: ['2026-03-05T09:00:00+01:00'] })
    const added = (await next(user, task.id))!
    expect(added.due_date).toBe('2026-03-05')
    const monday = (await next(user, added.id))!
    const edited = await edit(user, monday.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })
    expect(edited.due_at).toBe('2026-03-09T08:00:00.000Z')
  })

  it.each([
    [{ exdates: ['2026-03-16T09:00:00+01:00'] }, '2026-03-09T08:00:00.000Z'],
    [{ recurrence_rule: 'FREQ=WEEKLY;COUNT=2' }, '2026-03-09T08:00:00.000Z'],
    [{ recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' }, '2026-03-09T08:00:00.000Z'],
    [{ time_zone: 'Europe/Paris' }, '2026-03-09T08:00:00.000Z'],
    [
      { due_at: '2026-03-05T16:00:00+01:00', recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' },
      '2026-03-19T15:00:00.000Z',
    ],
  ])(
    'keeps the weekday of the series when an added date is open and %j is changed',
    async (body, expected) => {
      const user = newUser()
      const task = await begin(user, { rdates: ['2026-03-05T15:00:00+01:00'] })
      const added = (await next(user, task.id))!
      const edited = await edit(user, added.id, 'this', body)
      expect(edited.due_at).toBe('due_at' in body ? '2026-03-05T15:00:00.000Z' : added.due_at)
      expect(await next(user, added.id)).toMatchObject({ due_at: expected })
    },
  )

  it('counts a new COUNT from here on, the open occurrence included', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;COUNT=2' })
    const third = (await next(user, second.id))!
    expect(third.due_date).toBe('2026-03-16')
    expect(await next(user, third.id)).toBeUndefined()
  })

  it.each([{ exdates: ['2026-03-16T09:00:00+01:00'] }, { rdates: ['2026-03-18T09:00:00+01:00'] }])(
    'takes no notice of %j when it counts what is left of COUNT',
    async (dates) => {
      const user = newUser()
      const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=4', ...dates })
      const moved = await edit(user, task.id, 'future', { due_at: '2026-03-03T09:00:00+01:00' })
      expect(moved.recurrence_rule).toBe('FREQ=WEEKLY;COUNT=4')
    },
  )

  it('takes added dates along to the new time, but not those the request names', async () => {
    const user = newUser()
    const rdates = ['2026-03-04T09:00:00+01:00']
    const [first, second] = [await begin(user, { rdates }), await begin(user, { rdates })]
    const due_at = '2026-03-02T18:30:00+01:00'
    await edit(user, first.id, 'future', { due_at })
    expect(await next(user, first.id)).toMatchObject({ due_at: '2026-03-04T17:30:00.000Z' })
    await edit(user, second.id, 'future', { due_at, rdates, exdates: ['2026-03-09T18:30:00+01:00'] })
    const added = (await next(user, second.id))!
    expect(added.due_at).toBe('2026-03-04T08:00:00.000Z')
    expect(await next(user, added.id)).toMatchObject({ due_at: '2026-03-16T17:30:00.000Z' })
  })

  it('moves to a time that the clocks had skipped on the day of the start', async () => {
    const user = newUser()
    service.at('2026-03-28T08:00:00Z')
    // There is no 2:30 on 29 March in Berlin.
    const task = await user.create({ ...WEEKLY, due_at: '2026-03-29T09:00:00+02:00' })
    const second = (await next(user, task.id))!
    const moved = await edit(user, second.id, 'future', { due_at: '2026-04-05T02:30:00+02:00' })
    expect(moved.occurrence_at).toBe('2026-04-05T00:30:00.000Z')
    expect(await next(user, second.id)).toMatchObject({ due_at: '2026-04-12T00:30:00.000Z' })
  })

  it('goes on from the open occurrence when a series repeats from completion no longer', async () => {
    const user = newUser()
    const task = await begin(user, {
      recurrence_rule: 'FREQ=DAILY;INTERVAL=7;COUNT=3',
      repeat_from: 'completion',
    })
    const second = (await next(user, task.id, '2026-03-05T12:00:00Z'))!
    expect(second.due_date).toBe('2026-03-12')
    const edited = await edit(user, second.id, 'this', { repeat_from: 'due' })
    expect(edited).toMatchObject({ repeat_from: 'due', recurrence_rule: 'FREQ=DAILY;INTERVAL=7;COUNT=2' })
    const third = (await next(user, second.id, '2026-03-13T12:00:00Z'))!
    expect(third.due_date).toBe('2026-03-19')
    expect(await next(user, third.id, '2026-03-20T12:00:00Z')).toBeUndefined()
  })

  it('clamps after a change to the shorthand monthly, not after one to a plain rule', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const due_at = '2026-01-31T09:00:00Z'
    const [first, second] = [
      await user.create({ due_at, recurrence_rule: 'daily' }),
      await user.create({ due_at, recurrence_rule: 'yearly' }),
    ]
    await edit(user, first.id, 'this', { recurrence_rule: 'monthly' })
    await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=MONTHLY' })
    expect(await next(user, first.id, due_at)).toMatchObject({ due_date: '2026-02-28' })
    expect(await next(user, second.id, due_at)).toMatchObject({ due_date: '2026-03-31' })
  })

  it('knows dates in another order, and given twice, as the same', async () => {
    const user = newUser()
    const dates = ['2026-03-16T08:00:00Z', '2026-03-09T08:00:00Z']
    const task = await begin(user, { exdates: dates })
    const same = await edit(user, task.id, 'this', { exdates: [...dates, ...dates].toReversed() })
    expect(same.version).toBe(1)
  })

  it('keeps the clock time of the new zone after a change of zone', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', { time_zone: 'America/New_York' })
    expect(edited).toMatchObject({
      due_at: task.due_at,
      time_zone: 'America/New_York',
      due_date: '2026-03-02',
    })
    // 3:00 in New York, where the clocks change on 8 March already.
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-09T07:00:00.000Z' })
  })

  it('ends the series when the rule is removed; the task stays', async () => {
    const user = newUser()
    const task = await begin(user)
    const plain = await edit(user, task.id, 'this', { recurrence_rule: null })
    expect(plain).toMatchObject({ is_recurring: false, recurrence_rule: null, series_id: task.series_id })
    expect((await user.events()).map(({ type }) => type)).toEqual([
      'task.created',
      'task.updated',
      'series.ended',
    ])
    expect(await next(user, task.id)).toBeUndefined()
  })

  it('keeps for a plain task what it would repeat from', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    expect(await edit(user, task.id, 'this', { repeat_from: 'completion' })).toMatchObject({
      ...{ repeat_from: 'completion', is_recurring: false, version: 2 },
    })
  })

  it('makes a plain task recurring, and one whose series has ended anew', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', repeat_from: 'completion' })
    const recurring = await edit(user, task.id, 'this', { recurrence_rule: 'daily' })
    expect(recurring).toMatchObject({ is_recurring: true, version: 2, repeat_from: 'completion' })
    await edit(user, task.id, 'this', { recurrence_rule: null })
    const again = await edit(user, task.id, 'this', { recurrence_rule: 'weekly', repeat_from: 'due' })
    expect(again.series_id).not.toBe(recurring.series_id)
    expect(await sql`select state from occurrences where series_id = ${recurring.series_id}`).toEqual([
      { state: 'skipped' },
    ])
    expect(await next(user, task.id)).toMatchObject({
      series_id: again.series_id,
      due_at: '2026-03-09T09:00:00.000Z',
    })
  })

  it('refuses to make a completed task recurring', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(await patch(user, task.id, { recurrence_rule: 'daily' })).toMatchObject({
      ...{ status: 422, problem: { errors: [{ path: 'recurrence_rule' }] } },
    })
  })

  it('corrects a completed occurrence by itself, but lets it change nothing of its series', async () => {
    const user = newUser()
    const task = await begin(user)
    await next(user, task.id)
    expect((await patch(user, task.id, { title: 'Watered', recurrence_rule: 'weekly' })).task.title).toBe(
      'Watered',
    )
    for (const body of [
      { recurrence_rule: 'daily' },
      { recurrence_rule: null },
      { exdates: [WEEKLY.due_at] },
    ]) {
      expect(await patch(user, task.id, body)).toMatchObject({
        ...{ status: 422, problem: { errors: [{ path: 'recurrence_rule' }] } },
      })
    }
    expect(await user.send('PATCH', `/api/tasks/${task.id}?scope=all`, { title: 'x' })).toMatchObject({
      ...{ status: 422, problem: { errors: [{ path: 'scope' }] } },
    })
  })

  it('gives the task a new version when only the series changes, so that If-Match tells two editors apart', async () => {
    const user = newUser()
    const task = await begin(user)
    const both = ['2026-03-09T08:00:00Z', '2026-03-16T08:00:00Z'].map((date) =>
      patch(user, task.id, { exdates: [date] }, { 'if-match': '"1"' }),
    )
    expect(new Set((await Promise.all(both)).map(({ status }) => status))).toEqual(new Set([200, 412]))
    const [, updated, series] = await user.events()
    expect(updated?.data.changes).toEqual({ exdates: { old: [], new: [expect.any(String)] } })
    expect(series?.data.series.exdates).toEqual(updated?.data.changes.exdates?.new)
  })

  it('answers 409 when a moved series would hit an occurrence that is already history', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    const got = await user.send('PATCH', `/api/tasks/${second.id}?scope=future`, { due_at: WEEKLY.due_at })
    expect(got).toMatchObject({ status: 409, problem: { code: 'task.conflict' } })
  })

  it('goes on from where an open occurrence was moved back before its predecessor', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=DAILY' })
    const second = (await next(user, task.id, '2026-03-02T09:00:00Z'))!
    await edit(user, second.id, 'future', { due_at: '2026-03-01T09:00:00+01:00' })
    // 2 March has happened and does not happen again.
    expect(await next(user, second.id, '2026-03-02T10:00:00Z')).toMatchObject({
      due_at: '2026-03-03T08:00:00.000Z',
    })
  })

  it('clamps when asked to, and keeps month_end while the days stay the same', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const task = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'FREQ=MONTHLY' })
    await edit(user, task.id, 'this', { month_end: 'clamp' })
    await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=MONTHLY;COUNT=9' })
    expect(await next(user, task.id, '2026-01-31T10:00:00Z')).toMatchObject({ due_date: '2026-02-28' })
  })

  it('excludes and adds days of a series of days by any instant of the day, whatever the zone becomes', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    service.at('2026-03-01T08:00:00Z')
    const task = await user.create({
      ...{ due_date: '2026-03-02', recurrence_rule: 'weekly' },
      ...{ exdates: ['2026-03-09T15:00:00Z'], rdates: ['2026-03-04T10:00:00Z', '2026-03-04T11:00:00Z'] },
    })
    const wednesday = (await next(user, task.id))!
    expect(wednesday).toMatchObject({ due_at: null, due_date: '2026-03-04' })
    await edit(user, wednesday.id, 'this', { time_zone: 'America/New_York' })
    expect(await next(user, wednesday.id)).toMatchObject({ due_date: '2026-03-16' })
    const monday = await user.create({
      ...{ due_date: '2026-03-02', recurrence_rule: 'weekly', exdates: ['2026-03-09T15:00:00Z'] },
    })
    await edit(user, monday.id, 'this', { time_zone: 'America/New_York' })
    expect(await next(user, monday.id)).toMatchObject({ due_date: '2026-03-16' })
  })

  it('moves a series of days as days', async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    service.at('2026-03-01T08:00:00Z')
    const task = await user.create({ due_date: '2026-03-02', recurrence_rule: 'weekly' })
    await edit(user, task.id, 'this', { due_date: '2026-03-03' })
    expect(await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })).toMatchObject({
      ...{ due_at: null, due_date: '2026-03-02' },
    })
    await edit(user, task.id, 'future', { due_date: '2026-03-04' })
    expect(await next(user, task.id)).toMatchObject({ due_at: null, due_date: '2026-03-18' })
  })
})
