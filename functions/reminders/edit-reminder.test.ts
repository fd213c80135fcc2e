import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, get, list, meanwhile, newUser, write } = service
const DUE = { due_at: '2026-03-02T12:00:00Z' }

async function reminded(input: object = DUE) {
  const user = newUser()
  const task = await user.create(input)
  const reminder = await add(user, task.id, { offset_minutes: 60, channels: ['email'] })
  const patch = (body: object) => user.send('PATCH', `/api/reminders/${reminder.id}`, body)
  return { user, task, reminder, patch }
}

describe('PATCH /api/reminders/:id', () => {
  it('changes what is named: another lead, a time instead, the channels', async () => {
    const { user, reminder, patch } = await reminded()
    service.at('2026-03-02T08:30:00Z')
    const sooner = { offset_minutes: 30, remind_at: '2026-03-02T11:30:00.000Z' }
    expect((await patch({ offset_minutes: 30 })).body).toEqual({
      ...reminder,
      ...sooner,
      next_fire_at: sooner.remind_at,
      version: 2,
      updated_at: '2026-03-02T08:30:00.000Z',
    })
    expect((await patch({ remind_at: '2026-03-02T10:00:00Z' })).body).toMatchObject({
      offset_minutes: null,
      next_fire_at: '2026-03-02T10:00:00.000Z',
      channels: ['email'],
      version: 3,
    })
    expect((await patch({ channels: null })).body).toMatchObject({
      channels: null,
      next_fire_at: '2026-03-02T10:00:00.000Z',
      version: 4,
    })
    expect(await service.story(user)).toEqual([
      'reminder.scheduled',
      'reminder.rescheduled',
      'reminder.rescheduled',
      'reminder.rescheduled',
    ])
  })

  it('takes a local time in the zone that the task has by then', async () => {
    const { user, task, patch } = await reminded({ ...DUE, time_zone: 'Asia/Kolkata' })
    const body = { remind_at: '2026-03-02T17:00:00' }
    expect((await patch(body)).body).toMatchObject({ remind_at: '2026-03-02T11:30:00.000Z', version: 2 })
    expect((await patch(body)).body).toMatchObject({ version: 2 })
    await user.does('PATCH', `/api/tasks/${task.id}`, { time_zone: 'Europe/Berlin', due_at: DUE.due_at })
    expect((await patch(body)).body).toMatchObject({ remind_at: '2026-03-02T16:00:00.000Z' })
  })

  it.each([{}, { offset_minutes: 60 }, { channels: ['email'] }])('changes nothing by %o', async (body) => {
    const { user, reminder, patch } = await reminded()
    expect((await patch(body)).body).toEqual(reminder)
    expect(await service.story(user)).toEqual(['reminder.scheduled'])
  })

  it('lets one that has fired fire again at its new time', async () => {
    const { user, reminder, patch } = await reminded()
    await service.tickAt('11:00:00')
    expect((await patch({ channels: ['in_app'] })).body).toMatchObject({ next_fire_at: null })
    expect((await patch({ offset_minutes: 30 })).body).toMatchObject({
      next_fire_at: '2026-03-02T11:30:00.000Z',
    })
    await service.tickAt('11:30:00')
    expect((await get(user, reminder.id)).firings.map(({ fire_at }) => fire_at)).toEqual([
      '2026-03-02T11:00:00.000Z',
      '2026-03-02T11:30:00.000Z',
    ])
  })

  it.each<[object, object, string]>([
    [DUE, { remind_at: '2026-03-02T07:59:00Z' }, 'remind_at'],
    [DUE, { offset_minutes: 300 }, 'offset_minutes'],
  ])('refuses a time that has passed: %o', async (input, body, path) => {
    const { patch } = await reminded(input)
    expect(await patch(body)).toMatchObject({ status: 422, problem: { errors: [{ path }] } })
  })

  it('refuses both kinds of time at once, and minutes before a due time that is gone', async () => {
    const { user, task, patch } = await reminded()
    expect(await patch({ offset_minutes: 5, remind_at: '2026-03-02T09:00:00Z' })).toMatchObject({
      status: 422,
    })
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: null })
    expect(await patch({ offset_minutes: 5 })).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'offset_minutes' }] },
    })
  })

  it('refuses another time for a task that is done', async () => {
    const { user, task, patch } = await reminded()
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(await patch({ offset_minutes: 5 })).toMatchObject({
      status: 409,
      problem: { code: 'reminder.not_open' },
    })
  })

  it("leaves the time of the task's own reminder to the task", async () => {
    const user = newUser()
    const task = await user.create({ remind_at: '2026-03-02T10:00:00Z' })
    const [own] = await list(user, task.id)
    const path = `/api/reminders/${own!.id}`
    expect(await user.send('PATCH', path, { remind_at: '2026-03-02T11:00:00Z' })).toMatchObject({
      status: 409,
      problem: { code: 'reminder.of_task', detail: /remind_at/ },
    })
    expect(
      await write(user, 'PATCH', path, { channels: ['email'], remind_at: own!.remind_at! }),
    ).toMatchObject({ channels: ['email'], remind_at: own!.remind_at })
  })

  it('finds the task completed, or the reminder removed, when that comes in between', async () => {
    const { user, task, reminder, patch } = await reminded()
    meanwhile('loadReminder', () => user.does('POST', `/api/tasks/${task.id}/complete`))
    expect(await patch({ offset_minutes: 5 })).toMatchObject({ status: 409 })
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    meanwhile('loadReminder', () => user.does('DELETE', `/api/reminders/${reminder.id}`))
    expect(await patch({ offset_minutes: 5 })).toMatchObject({ status: 404 })
  })
})
