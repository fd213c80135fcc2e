import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, get, meanwhile, newUser, tickAt, write } = service

async function reminded(input: object = {}) {
  const user = newUser()
  const task = await user.create({ due_at: '2026-03-02T12:00:00Z', ...input })
  const { id } = await add(user, task.id, { offset_minutes: 60 })
  const acknowledge = () => write(user, 'POST', `/api/reminders/${id}/acknowledge`)
  return { user, task, id, acknowledge }
}

describe('POST /api/reminders/:id/acknowledge', () => {
  it('ends the repetitions of an insistent one', async () => {
    const { user, acknowledge } = await reminded({ priority: 'high' })
    await tickAt('11:00:00')
    await tickAt('11:10:00')
    expect(await acknowledge()).toMatchObject({
      status: 'acknowledged',
      acknowledged_at: '2026-03-02T11:10:00.000Z',
      next_fire_at: null,
    })
    await tickAt('11:20:00')
    expect(await service.notifications(user)).toHaveLength(2)
  })

  it('keeps the first time, however often it is asked', async () => {
    const { user, acknowledge } = await reminded()
    await tickAt('11:00:00')
    const first = await acknowledge()
    await tickAt('11:05:00')
    expect(await acknowledge()).toEqual(first)
    expect((await service.story(user)).filter((type) => type === 'reminder.acknowledged')).toHaveLength(1)
  })

  it('does away with a firing that is still to come', async () => {
    const { user, acknowledge } = await reminded()
    expect(await acknowledge()).toMatchObject({ status: 'acknowledged', next_fire_at: null })
    await tickAt('11:00:00')
    expect(await service.notifications(user)).toEqual([])
  })

  it('changes nothing when the task is done', async () => {
    const { user, task, id, acknowledge } = await reminded()
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    const { firings, ...before } = await get(user, id)
    expect([await acknowledge(), firings]).toEqual([before, []])
  })

  it('ends what has fired in between as well', async () => {
    const { user, id, acknowledge } = await reminded({ priority: 'high' })
    service.at('2026-03-02T11:00:00Z')
    meanwhile('loadReminder', () => service.tick())
    expect(await acknowledge()).toMatchObject({ status: 'acknowledged', version: 3 })
    expect(await get(user, id)).toMatchObject({ next_fire_at: null, firings: [{ state: 'delivered' }] })
  })
})
