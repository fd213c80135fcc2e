import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, counted, get, list, meanwhile, newUser, next, story } = service
const DUE = '2026-03-02T12:00:00Z'
const path = (id: string, action = '') => `/api/tasks/${id}${action}`

async function reminded(input: object = {}) {
  const user = newUser()
  const task = await user.create({ due_at: DUE, ...input })
  return { user, task, reminder: await add(user, task.id, { offset_minutes: 60 }) }
}

describe('a task and its reminders', () => {
  it('move together, and stay when something else changes', async () => {
    const { user, task, reminder } = await reminded()
    await user.does('PATCH', path(task.id), { title: 'Pay the rent', time_zone: 'Asia/Tokyo' })
    expect(await story(user)).toEqual(['reminder.scheduled'])
    await user.does('PATCH', path(task.id), { due_date: '2026-03-03' })
    // Nine in the morning in Tokyo.
    expect(await get(user, reminder.id)).toMatchObject({
      next_fire_at: '2026-03-02T23:00:00.000Z',
      version: 2,
    })
    await user.does('PATCH', path(task.id), { due_date: null })
    expect(await get(user, reminder.id)).toMatchObject({ remind_at: null, next_fire_at: null })
    expect(await story(user)).toEqual(['reminder.scheduled', 'reminder.rescheduled', 'reminder.rescheduled'])
  })

  it('are told at once when the task is moved so close that the time has passed', async () => {
    const { user, task } = await reminded()
    await user.does('PATCH', path(task.id), { due_at: '2026-03-02T08:30:00Z' })
    await service.tick()
    expect(await service.notifications(user)).toMatchObject([{ title: 'Pay rent', late: false }])
  })

  it.each([
    ['completed and reopened', 'POST', '/complete', '/reopen'],
    ['deleted and restored', 'DELETE', '', '/restore'],
  ])('are silent and come back: %s', async (_, method, action, undo) => {
    const { user, task, reminder } = await reminded()
    await user.does(method, path(task.id, action))
    expect(await get(user, reminder.id)).toMatchObject({
      status: 'cancelled',
      next_fire_at: null,
      firings: [],
    })
    await user.does('POST', path(task.id, undo))
    expect(await get(user, reminder.id)).toMatchObject({
      status: 'scheduled',
      next_fire_at: reminder.remind_at,
    })
    await service.tickAt('11:00:00')
    expect(await service.notifications(user)).toHaveLength(1)
    expect((await story(user)).slice(0, 3)).toEqual([
      'reminder.scheduled',
      'reminder.cancelled',
      'reminder.rescheduled',
    ])
  })

  it('agree, however completion and the firing come together', async () => {
    const { user, task, reminder } = await reminded()
    service.at('2026-03-02T11:00:00Z')
    meanwhile('loadTask', () => service.tick())
    await user.does('POST', path(task.id, '/complete'))
    expect(await get(user, reminder.id)).toMatchObject({ status: 'delivered', next_fire_at: null })
    await service.tick()
    expect(await service.notifications(user)).toHaveLength(1)
  })

  it('take one round trip to load and one to commit, with reminders and without', async () => {
    const user = newUser()
    const complete = async (id: string) => counted(() => user.does('POST', path(id, '/complete')))
    const plain = await user.create({ due_at: DUE })
    const { user: owner, task } = await reminded()
    expect(await complete(plain.id)).toEqual(['loadTask', 'commit'])
    expect(await counted(() => owner.does('POST', path(task.id, '/complete')))).toEqual([
      'loadTask',
      'commit',
    ])
    expect(await counted(() => user.create({ remind_at: DUE }))).toEqual(['commit'])
  })

  it('stay together when everything happens at once', async () => {
    const { user, task } = await reminded()
    const moves = ['13:00', '14:00', '15:00'].map((time) => ({ due_at: `2026-03-02T${time}:00Z` }))
    await Promise.all([
      ...moves.map((body) => user.send('PATCH', path(task.id), body)),
      ...[5, 10, 15].map((offset_minutes) =>
        user.send('POST', path(task.id, '/reminders'), { offset_minutes }),
      ),
      user.send('POST', path(task.id, '/complete')),
      user.send('POST', path(task.id, '/reopen')),
    ])
    // reminderApi works out anew where each of them has to be.
    expect((await list(user, task.id)).length).toBeGreaterThan(0)
  })
})

const SERIES = { due_at: '2026-03-28T08:00:00Z', time_zone: 'Europe/Berlin', recurrence_rule: 'daily' }

describe("a task's remind_at", () => {
  it('is a reminder that goes where the task says', async () => {
    const user = newUser()
    const task = await user.create({ remind_at: '2026-03-02T10:00:00Z' })
    const [own] = await list(user, task.id)
    expect(own).toMatchObject({ remind_at: '2026-03-02T10:00:00.000Z', offset_minutes: null, channels: null })
    await user.does('PATCH', path(task.id), { remind_at: '2026-03-02T09:00:00Z' })
    expect(await list(user, task.id)).toMatchObject([
      { id: own!.id, next_fire_at: '2026-03-02T09:00:00.000Z' },
    ])
    await service.tickAt('09:00:00')
    await user.does('PATCH', path(task.id), { remind_at: '2026-03-02T11:00:00Z' })
    expect(await list(user, task.id)).toMatchObject([
      { id: own!.id, next_fire_at: '2026-03-02T11:00:00.000Z' },
    ])
    await user.does('PATCH', path(task.id), { remind_at: null })
    expect(await list(user, task.id)).toEqual([])
    await user.does('PATCH', path(task.id), { remind_at: '2026-03-02T12:00:00Z' })
    expect(await list(user, task.id)).toHaveLength(1)
  })

  const PAST = '2026-03-02T07:59:58Z'
  const refused = {
    status: 422,
    problem: {
      code: 'request.invalid',
      errors: [{ path: 'remind_at', message: expect.stringMatching(/future/) as string }],
    },
  }

  it('is refused when the wall time has passed in the zone of the task', async () => {
    const user = newUser()
    const body = { title: 'Pay rent', remind_at: '2026-03-02T08:30:00' }
    expect(await user.send('POST', '/api/tasks', { ...body, time_zone: 'Europe/Berlin' })).toMatchObject(
      refused,
    )
    const task = await user.create({ ...body, time_zone: 'UTC' })
    const edit = { time_zone: 'Europe/Berlin', remind_at: '2026-03-02T08:59:00' }
    expect(await user.send('PATCH', path(task.id), edit)).toMatchObject(refused)
  })

  it.each([{}, { recurrence_rule: 'daily', due_at: '2026-03-03T08:00:00Z' }])(
    'is refused when it has passed, and nothing is created: %o',
    async (input) => {
      const user = newUser()
      const body = { title: 'Pay rent', ...input, remind_at: PAST }
      expect(await user.send('POST', '/api/tasks', body)).toMatchObject(refused)
      expect(
        await user.send('POST', '/api/tasks', { ...body, remind_at: '2026-03-02T08:00:00Z' }),
      ).toMatchObject(refused)
      expect(await user.events()).toEqual([])
    },
  )

  it.each([
    ['PATCH', { title: 'Pay the rent' }, ''],
    ['PUT', { title: 'Pay the rent' }, ''],
    ['PATCH', { title: 'Pay the rent' }, '?scope=all'],
  ])('changes nothing when %s names one that has passed: %o %s', async (method, body, query) => {
    const user = newUser()
    const task = await user.create({ ...SERIES, remind_at: '2026-03-02T10:00:00Z' })
    const seen = await user.events()
    expect(
      await user.send(method, path(task.id, query), { ...SERIES, ...body, remind_at: PAST }),
    ).toMatchObject(refused)
    expect(await user.events()).toEqual(seen)
    expect(await list(user, task.id)).toMatchObject([{ next_fire_at: '2026-03-02T10:00:00.000Z' }])
  })

  it('that has passed is refused for a completed task too', async () => {
    const user = newUser()
    const task = await user.create()
    await user.does('POST', path(task.id, '/complete'))
    expect(await user.send('PATCH', path(task.id), { remind_at: PAST })).toMatchObject(refused)
  })

  it('may be sent back as it is, also when it has passed since', async () => {
    const user = newUser()
    const task = await user.create({ remind_at: '2026-03-02T08:05:00Z' })
    service.at('2026-03-02T08:06:00Z')
    const body = { title: 'Pay the rent', remind_at: task.remind_at }
    expect(await user.does('PATCH', path(task.id), body)).toMatchObject({
      remind_at: task.remind_at,
      version: 2,
    })
    expect(await user.does('PUT', path(task.id), body)).toMatchObject({ version: 2 })
    await service.tickAt('08:07:00')
    expect(await list(user, task.id)).toMatchObject([{ status: 'delivered' }])
  })

  it('may have passed when the request comes again with its Idempotency-Key', async () => {
    const user = newUser()
    const body = { title: 'Pay rent', remind_at: '2026-03-02T08:00:01Z' }
    const create = () => user.send('POST', '/api/tasks', body, { 'idempotency-key': 'one' })
    const first = await create()
    service.at('2026-03-02T08:00:02Z')
    expect(await create()).toMatchObject({ status: 201, body: first.body })
    expect(await user.send('POST', '/api/tasks', body, { 'idempotency-key': 'two' })).toMatchObject(refused)
  })
})

describe('the reminders of a series', () => {
  it('go on with the next occurrence, by the clocks on the wall', async () => {
    const user = newUser()
    const task = await user.create({ ...SERIES, remind_at: '2026-03-28T07:45:00Z', priority: 'high' })
    await add(user, task.id, { offset_minutes: 30, channels: ['email'] })
    await add(user, task.id, { remind_at: '2026-03-27T19:00:00Z' })
    const gone = await add(user, task.id, { offset_minutes: 10 })
    await user.does('DELETE', `/api/reminders/${gone.id}`)
    const second = (await next(user, task.id, '2026-03-28T08:05:00Z'))!
    expect(second).toMatchObject({
      due_at: '2026-03-29T07:00:00.000Z',
      remind_at: '2026-03-29T06:45:00.000Z',
    })
    expect(await list(user, second.id)).toMatchObject([
      { remind_at: '2026-03-28T19:00:00.000Z', offset_minutes: null, status: 'scheduled', version: 1 },
      { remind_at: '2026-03-29T06:30:00.000Z', offset_minutes: 30, channels: ['email'] },
      { remind_at: '2026-03-29T06:45:00.000Z', offset_minutes: null },
    ])
    const third = (await next(user, second.id, '2026-03-29T08:00:00Z'))!
    expect((await list(user, third.id)).map(({ remind_at }) => remind_at)).toEqual([
      '2026-03-29T18:00:00.000Z',
      '2026-03-30T06:30:00.000Z',
      '2026-03-30T06:45:00.000Z',
    ])
    expect((await list(user, task.id)).every(({ next_fire_at }) => next_fire_at === null)).toBe(true)
  })

  it('that are relative may have passed for this occurrence: the next one gets them', async () => {
    const user = newUser()
    const task = await user.create({ ...SERIES, due_at: '2026-03-02T09:00:00Z' })
    const dayBefore = await add(user, task.id, { offset_minutes: 1440 })
    expect(dayBefore).toMatchObject({ status: 'scheduled', next_fire_at: null })
    const moved = await add(user, task.id, { offset_minutes: 30 })
    expect(
      await service.write(user, 'PATCH', `/api/reminders/${moved.id}`, { offset_minutes: 120 }),
    ).toMatchObject({
      status: 'scheduled',
      next_fire_at: null,
    })
    await service.tick()
    expect(await service.notifications(user)).toEqual([])
    const second = (await next(user, task.id, '2026-03-02T08:10:00Z'))!
    expect(await list(user, second.id)).toMatchObject([
      { offset_minutes: 1440, next_fire_at: '2026-03-02T09:00:00.000Z' },
      { offset_minutes: 120, next_fire_at: '2026-03-03T07:00:00.000Z' },
    ])
  })

  it('that are absolute and have passed are refused, as on any task', async () => {
    const user = newUser()
    const task = await user.create(SERIES)
    const got = await user.send('POST', path(task.id, '/reminders'), { remind_at: '2026-03-02T07:59:00Z' })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'remind_at' }] } })
  })

  it('go on after a skip, and once however often the event comes', async () => {
    const user = newUser()
    const task = await user.create(SERIES)
    await add(user, task.id, { offset_minutes: 30 })
    await user.does('POST', path(task.id, '/skip'))
    await service.deliver()
    const event = service.published.findLast(({ event }) => event.type === 'task.occurrence.skipped')!.event
    await Promise.all([1, 2, 3].map(() => service.deps.broker.publishAll('task-events', [event])))
    const made = (await user.events()).findLast(({ type }) => type === 'task.occurrence.generated')!.data.task
    expect(await list(user, made.id)).toMatchObject([{ remind_at: '2026-03-29T06:30:00.000Z' }])
  })

  it('are silent on an occurrence that makes way for the one before', async () => {
    const user = newUser()
    const task = await user.create(SERIES)
    await add(user, task.id, { offset_minutes: 30 })
    const second = (await next(user, task.id, '2026-03-28T07:00:00Z'))!
    const [carried] = await list(user, second.id)
    await user.does('POST', path(task.id, '/reopen'))
    expect(await get(user, carried!.id)).toMatchObject({ status: 'cancelled', next_fire_at: null })
    expect(await list(user, task.id)).toMatchObject([
      { status: 'scheduled', next_fire_at: '2026-03-28T07:30:00.000Z' },
    ])
  })

  it('move with the series', async () => {
    const user = newUser()
    const task = await user.create(SERIES)
    await add(user, task.id, { offset_minutes: 30 })
    await user.does('PATCH', `${path(task.id)}?scope=future`, { due_at: '2026-03-28T10:00:00Z' })
    expect(await list(user, task.id)).toMatchObject([{ next_fire_at: '2026-03-28T09:30:00.000Z' }])
  })
})
