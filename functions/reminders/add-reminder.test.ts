import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, get, list, meanwhile, newUser } = service
const DUE = { due_at: '2026-03-02T12:00:00Z' }

describe('POST /api/tasks/:id/reminders', () => {
  it('adds a reminder at a time', async () => {
    const user = newUser()
    const task = await user.create()
    const got = await user.send('POST', `/api/tasks/${task.id}/reminders`, {
      remind_at: '2026-03-02T10:00:00+01:00',
      channels: ['email', 'in_app', 'email'],
    })
    const at = '2026-03-02T09:00:00.000Z'
    const reminder = {
      id: expect.any(String),
      task_id: task.id,
      origin: 'user',
      remind_at: at,
      offset_minutes: null,
      channels: ['email', 'in_app'],
      status: 'scheduled',
      next_fire_at: at,
      snoozed_until: null,
      acknowledged_at: null,
      version: 1,
      created_at: '2026-03-02T08:00:00.000Z',
      updated_at: '2026-03-02T08:00:00.000Z',
    }
    expect([got.status, got.body]).toEqual([201, reminder])
    const { id } = got.body as { id: string }
    expect(got.headers.get('location')).toBe(`/api/reminders/${id}`)
    expect(got.headers.get('etag')).toBe('"1"')
    expect(await list(user, task.id)).toEqual([got.body])
    expect((await user.events()).at(-1)).toMatchObject({
      type: 'reminder.scheduled',
      subject: `reminder/${id}`,
      data: { reminder: got.body },
    })
  })

  it('adds a reminder so many minutes before the task is due', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const timed = await user.create(DUE)
    expect(await add(user, timed.id, { offset_minutes: 30 })).toMatchObject({
      offset_minutes: 30,
      remind_at: '2026-03-02T11:30:00.000Z',
      channels: null,
    })
    const allDay = await user.create({ due_date: '2026-03-29' })
    expect(await add(user, allDay.id, { offset_minutes: 60 })).toMatchObject({
      next_fire_at: '2026-03-29T06:00:00.000Z',
    })
  })

  it.each([
    ['2026-03-02T17:00:00', '2026-03-02T11:30:00.000Z'],
    ['2026-03-02t17:00', '2026-03-02T11:30:00.000Z'],
    ['2026-03-02t17:00:00+01:00', '2026-03-02T16:00:00.000Z'],
  ])('takes %s as local time in the zone of the task, unless it names an offset', async (text, remindAt) => {
    const user = newUser({ timeZone: 'America/New_York' })
    const task = await user.create({ ...DUE, time_zone: 'Asia/Kolkata' })
    const { id } = await add(user, task.id, { remind_at: text })
    expect((await list(user, task.id))[0]).toMatchObject({ id, remind_at: remindAt, next_fire_at: remindAt })
  })

  it('refuses a local time that has passed in the zone of the task', async () => {
    const user = newUser()
    const task = await user.create({ ...DUE, time_zone: 'Asia/Kolkata' })
    const body = { remind_at: '2026-03-02T13:00:00' }
    const got = await user.send('POST', `/api/tasks/${task.id}/reminders`, body)
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'remind_at' }] } })
    expect(got.problem.errors![0]!.message).toContain('2026-03-02T07:30:00.000Z')
  })

  it.each<[string, object, object, string]>([
    ['a time that has passed', DUE, { remind_at: '2026-03-02T08:00:00Z' }, 'remind_at'],
    ['minutes before a time that is not there', {}, { offset_minutes: 5 }, 'offset_minutes'],
    ['so many minutes that the time has passed', DUE, { offset_minutes: 240 }, 'offset_minutes'],
    ['more minutes than a year has', DUE, { offset_minutes: 527_041 }, 'offset_minutes'],
    ['minutes after', DUE, { offset_minutes: -5 }, 'offset_minutes'],
    ['no channel at all', DUE, { offset_minutes: 5, channels: [] }, 'channels'],
    ['a channel that there is not', DUE, { offset_minutes: 5, channels: ['pigeon'] }, 'channels.0'],
  ])('refuses %s and names the field', async (_, input, body, path) => {
    const user = newUser()
    const task = await user.create(input)
    const got = await user.send('POST', `/api/tasks/${task.id}/reminders`, body)
    expect(got).toMatchObject({ status: 422, problem: { code: 'request.invalid' } })
    expect(got.problem.errors?.map((error) => error.path)).toContain(path)
    expect(await list(user, task.id)).toEqual([])
  })

  it('says of sms that it is no channel, and what to do instead', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const body = { offset_minutes: 5, channels: ['in_app', 'sms'] }
    const got = await user.send('POST', `/api/tasks/${task.id}/reminders`, body)
    expect(got).toMatchObject({
      status: 422,
      problem: {
        errors: [
          { path: 'channels.1', message: expect.stringMatching(/^sms is not a channel.*webhook/) as string },
        ],
      },
    })
  })

  it.each([{}, { channels: ['email'] }, { offset_minutes: 5, remind_at: '2026-03-02T09:00:00Z' }])(
    'refuses what does not say when, or says it twice: %o',
    async (body) => {
      const user = newUser()
      const task = await user.create(DUE)
      expect(await user.send('POST', `/api/tasks/${task.id}/reminders`, body)).toMatchObject({ status: 422 })
    },
  )

  it('refuses a task that is completed or deleted', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const attempt = () => user.send('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 5 })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(await attempt()).toMatchObject({ status: 409, problem: { code: 'reminder.not_open' } })
    await user.does('DELETE', `/api/tasks/${task.id}`)
    expect(await attempt()).toMatchObject({ status: 404, problem: { code: 'task.not_found' } })
  })

  it('refuses more than twenty, also when they come at once', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const attempts = Array.from({ length: 25 }, (_, minutes) =>
      user.send('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: minutes }),
    )
    const answers = await Promise.all(attempts)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20)
    for (const { status, problem } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, problem.code]).toEqual([409, 'reminder.too_many'])
    }
    expect(await list(user, task.id)).toHaveLength(20)
  })

  it('takes If-Match for the task', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const path = `/api/tasks/${task.id}/reminders`
    const attempt = (tag: string) => user.send('POST', path, { offset_minutes: 5 }, { 'if-match': tag })
    expect(await attempt('"2"')).toMatchObject({ status: 412, problem: { code: 'task.version_conflict' } })
    expect(await attempt('"1"')).toMatchObject({ status: 201 })
  })

  it('is added once however often it is sent with one Idempotency-Key, also at once', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const attempt = (offset_minutes = 5) =>
      user.send('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes }, { 'idempotency-key': 'one' })
    const answers = await Promise.all(Array.from({ length: 5 }, () => attempt()))
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true)
    const again = await attempt()
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await list(user, task.id)).toEqual([again.body])
    expect(await attempt(6)).toMatchObject({ status: 422, problem: { code: 'idempotency.key_reused' } })
  })

  it('finds the task completed when that comes in between', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    meanwhile('loadTask', () => user.does('POST', `/api/tasks/${task.id}/complete`))
    expect(await user.send('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 5 })).toMatchObject({
      status: 409,
      problem: { code: 'reminder.not_open' },
    })
    expect(await list(user, task.id)).toEqual([])
  })

  it('counts from the new due time when that comes in between', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const move = { due_at: '2026-03-02T15:00:00Z' }
    meanwhile('loadTask', () => user.does('PATCH', `/api/tasks/${task.id}`, move))
    expect(await add(user, task.id, { offset_minutes: 60 })).toMatchObject({
      remind_at: '2026-03-02T14:00:00.000Z',
    })
  })

  it.each([
    ['completed', ['POST', '/complete'], { status: 'cancelled', next_fire_at: null }],
    ['moved', ['PATCH', ''], { status: 'scheduled', next_fire_at: '2026-03-02T14:00:00.000Z' }],
  ] as const)('is taken along by a task that is being %s', async (_, [method, action], expected) => {
    const user = newUser()
    const task = await user.create(DUE)
    let id = ''
    meanwhile('loadTask', async () => void ({ id } = await add(user, task.id, { offset_minutes: 60 })))
    const body = method === 'PATCH' ? { due_at: '2026-03-02T15:00:00Z' } : undefined
    await user.does(method, `/api/tasks/${task.id}${action}`, body)
    expect(await get(user, id)).toMatchObject(expected)
  })
})
