import { describe, expect, it } from 'vitest'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next, sql } = service

describe('DELETE /api/tasks/:id', () => {
  it('answers 204 and takes the task out of every count', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['home'] })
    const got = await user.send('DELETE', `/api/tasks/${task.id}`)
    expect([got.status, got.body]).toEqual([204, null])
    const [, event] = await user.events()
    expect(event).toMatchObject({
      type: 'task.deleted',
      subject: `task/${task.id}`,
      data: { task: { ...task, deleted_at: expect.any(String), updated_at: expect.any(String), version: 2 } },
    })
    const [tag] = await sql`select active, completed from tags where user_id = ${user.id}`
    expect(tag).toEqual({ active: 0, completed: 0 })
    const path = `/api/tasks/${task.id}`
    expect(await user.send('DELETE', path)).toMatchObject({ status: 404 })
    expect(await user.send('PATCH', path, { title: 'x' })).toMatchObject({ status: 404 })
    for (const action of ['complete', 'reopen']) {
      expect(await user.send('POST', `${path}/${action}`)).toMatchObject({ status: 404 })
    }
  })

  it('ends the series of the open occurrence', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await user.does('DELETE', `/api/tasks/${task.id}`)
    await service.deliver()
    const events = await user.events()
    expect(events.map(({ type }) => type)).toEqual(['task.created', 'task.deleted', 'series.ended'])
    expect(events[2]?.data.series).toMatchObject({ id: task.series_id, state: 'ended', live_task_id: null })
  })

  it('lets the series go on when a completed occurrence is deleted', async () => {
    const user = newUser()
    const first = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    const second = (await next(user, first.id))!
    await user.does('DELETE', `/api/tasks/${first.id}`)
    expect((await user.events()).at(-1)?.type).toBe('task.deleted')
    expect(await next(user, second.id)).toMatchObject({ due_at: '2026-03-04T09:00:00.000Z' })
  })

  it('gives the next occurrence also when the completed task is deleted before its event arrives', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await user.does('DELETE', `/api/tasks/${task.id}`)
    await service.deliver()
    expect((await user.events()).at(-1)).toMatchObject({
      type: 'task.occurrence.generated',
      data: { task: { position: task.position } },
    })
  })
})
