import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, list, newUser } = service

describe('DELETE /api/reminders/:id', () => {
  it('removes a reminder for good: it is gone and never fires', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T12:00:00Z' })
    const { id } = await add(user, task.id, { offset_minutes: 60 })
    const path = `/api/reminders/${id}`
    expect(await user.send('DELETE', path)).toMatchObject({ status: 204, body: null })
    for (const method of ['GET', 'DELETE']) {
      expect(await user.send(method, path)).toMatchObject({
        status: 404,
        problem: { code: 'reminder.not_found' },
      })
    }
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T13:00:00Z' })
    await service.tickAt('13:00:00')
    expect(await service.notifications(user)).toEqual([])
    expect(await service.story(user)).toEqual(['reminder.scheduled', 'reminder.cancelled'])
  })

  it("leaves the task's own reminder to the task", async () => {
    const user = newUser()
    const task = await user.create({ remind_at: '2026-03-02T10:00:00Z' })
    const [own] = await list(user, task.id)
    expect(await user.send('DELETE', `/api/reminders/${own!.id}`)).toMatchObject({
      status: 409,
      problem: { code: 'reminder.of_task', detail: /remind_at/ },
    })
    await user.does('PATCH', `/api/tasks/${task.id}`, { remind_at: null })
    expect(await user.send('GET', `/api/reminders/${own!.id}`)).toMatchObject({ status: 404 })
  })
})
