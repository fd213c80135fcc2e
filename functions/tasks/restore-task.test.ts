import { describe, expect, it } from 'vitest'
import { dailySeries } from '../../testing/builders/daily-series.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next } = service
const { daily, history, types } = dailySeries(service)

const restore = (user: Client, id: string) => user.send('POST', `/api/tasks/${id}/restore`)

describe('POST /api/tasks/:id/restore', () => {
  it('brings a deleted task back as it was, once however often it is asked', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['home'], due_date: '2026-03-02' })
    await user.does('DELETE', `/api/tasks/${task.id}`)
    const got = await restore(user, task.id)
    expect(got.headers.get('etag')).toBe('"3"')
    expect(got.task).toEqual({ ...task, version: 3, updated_at: got.task.updated_at })
    expect((await restore(user, task.id)).task).toEqual(got.task)
    expect(await types(user)).toEqual(['task.created', 'task.deleted', 'task.restored'])
  })

  it('brings a completed task back completed', async () => {
    const user = newUser()
    const first = await daily(user)
    await next(user, first.id)
    await user.does('DELETE', `/api/tasks/${first.id}`)
    expect((await restore(user, first.id)).task).toMatchObject({ is_completed: true, is_recurring: true })
  })

  it('is possible for 30 days to the millisecond, then 410', async () => {
    const user = newUser()
    service.at('2026-03-02T08:00:00Z')
    const task = await user.create()
    await user.does('DELETE', `/api/tasks/${task.id}`)
    service.at('2026-04-01T08:00:00.001Z')
    expect(await restore(user, task.id)).toMatchObject({
      status: 410,
      problem: { code: 'task.restore_expired' },
    })
    service.at('2026-04-01T08:00:00.000Z')
    expect(await restore(user, task.id)).toMatchObject({ status: 200 })
  })

  it('revives the series that ended with the task', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('DELETE', `/api/tasks/${task.id}`)
    const seen = (await user.events()).length
    expect((await restore(user, task.id)).task).toMatchObject({
      is_recurring: true,
      series_id: task.series_id,
    })
    expect(await types(user, seen)).toEqual(['task.restored', 'series.updated'])
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-03T09:00:00.000Z' })
  })

  it('leaves alone a series that had ended before, as its rule was removed', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('PATCH', `/api/tasks/${task.id}`, { recurrence_rule: null })
    await user.does('DELETE', `/api/tasks/${task.id}`)
    expect((await restore(user, task.id)).task).toMatchObject({ is_recurring: false, due_at: task.due_at })
    expect((await user.events()).at(-1)).toMatchObject({ type: 'task.restored' })
  })

  it('takes back a skip before its event arrives', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('POST', `/api/tasks/${task.id}/skip`)
    await restore(user, task.id)
    await service.deliver()
    expect(await history(task.series_id)).toEqual(['open'])
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-03T09:00:00.000Z' })
  })

  it('undoes a skip: the next one, which nobody has touched, makes way and comes again', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('POST', `/api/tasks/${task.id}/skip`)
    await service.deliver()
    const seen = (await user.events()).length
    expect((await restore(user, task.id)).task).toMatchObject({ is_recurring: true, due_at: task.due_at })
    expect(await types(user, seen)).toEqual(['task.restored', 'task.deleted'])
    expect(await history(task.series_id)).toEqual(['open'])
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-03T09:00:00.000Z' })
  })

  it('brings a skipped occurrence back by itself when the next one has been changed', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('POST', `/api/tasks/${task.id}/skip`)
    await service.deliver()
    const second = (await user.events()).at(-1)!.data.task
    await user.does('PATCH', `/api/tasks/${second.id}`, { title: 'mine' })
    expect((await restore(user, task.id)).task).toMatchObject({
      is_recurring: false,
      series_id: task.series_id,
    })
    expect(await history(task.series_id)).toEqual(['open', 'open'])
    await user.does('DELETE', `/api/tasks/${task.id}`)
    expect(await history(task.series_id)).toEqual(['skipped', 'open'])
  })

  it('does not put an old occurrence in the place of the next one that is still to come', async () => {
    const user = newUser()
    const first = await daily(user)
    await user.does('POST', `/api/tasks/${first.id}/skip`)
    await service.deliver()
    const second = (await user.events()).at(-1)!.data.task
    await user.does('POST', `/api/tasks/${second.id}/complete`)
    expect((await restore(user, first.id)).task).toMatchObject({ is_recurring: false })
    const seen = (await user.events()).length
    await service.deliver()
    expect(await types(user, seen)).toEqual(['task.occurrence.generated'])
  })
})
