import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, get, meanwhile, newUser, tickAt, write } = service

async function reminded(input: object = {}) {
  const user = newUser()
  const task = await user.create({ due_at: '2026-03-02T12:00:00Z', ...input })
  const { id } = await add(user, task.id, { offset_minutes: 60 })
  return {
    user,
    task,
    id,
    snooze: (body: object) => user.send('POST', `/api/reminders/${id}/snooze`, body),
  }
}

describe('POST /api/reminders/:id/snooze', () => {
  it('fires once more when the snooze is over', async () => {
    const { user, id, snooze } = await reminded()
    await tickAt('11:00:00')
    expect((await snooze({ minutes: 15 })).body).toMatchObject({
      status: 'snoozed',
      snoozed_until: '2026-03-02T11:15:00.000Z',
      version: 3,
      next_fire_at: '2026-03-02T11:15:00.000Z',
      remind_at: '2026-03-02T11:00:00.000Z',
    })
    await tickAt('11:14:59')
    expect(await service.notifications(user)).toHaveLength(1)
    await tickAt('11:15:00')
    expect(await service.notifications(user)).toHaveLength(2)
    expect(await get(user, id)).toMatchObject({ status: 'delivered', next_fire_at: null })
    expect((await service.story(user)).filter((type) => type === 'reminder.snoozed')).toHaveLength(1)
  })

  it('puts one off that has not fired, until a time', async () => {
    const { user, snooze } = await reminded()
    expect((await snooze({ until: '2026-03-02T12:30:00+01:00' })).body).toMatchObject({
      status: 'snoozed',
      next_fire_at: '2026-03-02T11:30:00.000Z',
    })
    await tickAt('11:29:59')
    expect(await service.notifications(user)).toEqual([])
  })

  it('takes a local time in the zone of the task', async () => {
    const { snooze } = await reminded({ time_zone: 'Asia/Kolkata' })
    expect((await snooze({ until: '2026-03-02T17:15:00' })).body).toMatchObject({
      next_fire_at: '2026-03-02T11:45:00.000Z',
    })
    expect((await snooze({ until: '2026-03-02T13:29:59' })).status).toBe(422)
  })

  it('takes back that it was acknowledged, and the repetitions to come', async () => {
    const { user, id, snooze } = await reminded({ priority: 'high' })
    await tickAt('11:00:00')
    expect((await snooze({ minutes: 60 })).body).toMatchObject({ next_fire_at: '2026-03-02T12:00:00.000Z' })
    await write(user, 'POST', `/api/reminders/${id}/acknowledge`)
    expect((await snooze({ minutes: 30 })).body).toMatchObject({
      status: 'snoozed',
      acknowledged_at: null,
      next_fire_at: '2026-03-02T11:30:00.000Z',
    })
  })

  it.each([
    [{ until: '2026-03-02T08:00:00Z' }, 'until'],
    // Its own time, eleven o'clock, is still to come.
    [{ until: '2026-03-02T10:59:00Z' }, 'until'],
    [{ minutes: 1 }, 'minutes'],
    [{ minutes: 0 }, 'minutes'],
    [{ minutes: 527_041 }, 'minutes'],
  ])('refuses %o', async (body, path) => {
    const { snooze } = await reminded()
    const got = await snooze(body)
    expect(got.status).toBe(422)
    expect(got.problem.errors?.map((error) => error.path)).toContain(path)
  })

  it.each([
    ['completed', 'POST', '/complete'],
    ['deleted', 'DELETE', ''],
  ])('refuses one whose task is %s, also when that comes in between', async (_, method, action) => {
    const { user, task, snooze } = await reminded()
    await tickAt('11:00:00')
    meanwhile('loadReminder', () => user.does(method, `/api/tasks/${task.id}${action}`))
    const refusal = { status: 409, problem: { code: 'reminder.not_open' } }
    expect(await snooze({ minutes: 5 })).toMatchObject(refusal)
    expect(await snooze({ minutes: 5 })).toMatchObject(refusal)
  })

  it('is cancelled by a completion that had looked before', async () => {
    const { user, task, id, snooze } = await reminded()
    await tickAt('11:00:00')
    meanwhile('loadTask', () => snooze({ minutes: 5 }))
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(await get(user, id)).toMatchObject({ status: 'cancelled', next_fire_at: null })
  })
})
