import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, list, newUser, write } = service

describe('GET /api/tasks/:id/reminders', () => {
  it('lists the reminders of a task, the next one first', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T12:00:00Z', remind_at: '2026-03-02T11:00:00Z' })
    const late = await add(user, task.id, { offset_minutes: 5 })
    const early = await add(user, task.id, { remind_at: '2026-03-02T09:00:00Z' })
    const other = await user.create({ remind_at: '2026-03-02T11:00:00Z' })
    const [first, second, third, ...rest] = await list(user, task.id)
    expect([first, third, rest]).toEqual([early, late, []])
    expect(second).toMatchObject({ remind_at: '2026-03-02T11:00:00.000Z', task_id: task.id })
    expect(await list(user, other.id)).toHaveLength(1)
  })

  it('says what became of the last firing', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T12:00:00Z' })
    await add(user, task.id, { offset_minutes: 60 })
    await service.tickAt('11:00:00')
    expect(await list(user, task.id)).toMatchObject([{ status: 'delivered', next_fire_at: null }])
  })

  it('leaves out what has been removed, and is empty for a task without', async () => {
    const user = newUser()
    const task = await user.create()
    const { id } = await add(user, task.id, { remind_at: '2026-03-02T09:00:00Z' })
    await write(user, 'DELETE', `/api/reminders/${id}`)
    expect(await list(user, task.id)).toEqual([])
  })
})
