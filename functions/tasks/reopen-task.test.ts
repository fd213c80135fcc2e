import { describe, expect, it } from 'vitest'
import { dailySeries } from '../../testing/builders/daily-series.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next } = service
const { daily, history, types } = dailySeries(service)

const reopen = (user: Client, id: string) => user.send('POST', `/api/tasks/${id}/reopen`)

describe('POST /api/tasks/:id/reopen', () => {
  it('opens a completed task, once however often it is asked', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['home'] })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    const open = await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect(open).toEqual({ ...task, version: 3, updated_at: open.updated_at })
    expect((await reopen(user, task.id)).task).toEqual(open)
    expect(await types(user)).toEqual(['task.created', 'task.completed', 'task.reopened'])
  })

  it('takes back a next occurrence that nobody has touched', async () => {
    const user = newUser()
    const task = await daily(user)
    const following = (await next(user, task.id, '2026-03-02T10:00:00Z'))!
    const seen = (await user.events()).length
    const open = await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect(open).toMatchObject({ is_completed: false, is_recurring: true })
    const events = await user.events(seen)
    expect(events.map(({ type, subject }) => [type, subject])).toEqual([
      ['task.reopened', `task/${task.id}`],
      ['task.deleted', `task/${following.id}`],
    ])
    expect(await history(task.series_id)).toEqual(['open'])
    expect(await next(user, task.id)).toMatchObject({ due_at: following.due_at })
    expect(await history(task.series_id)).toEqual(['completed', 'open'])
  })

  it('counts a next occurrence no more that was taken back', async () => {
    const user = newUser()
    const task = await daily(user, { recurrence_rule: 'FREQ=DAILY;COUNT=2', repeat_from: 'completion' })
    const following = await next(user, task.id)
    await reopen(user, task.id)
    expect(await next(user, task.id)).toMatchObject({ due_at: following!.due_at })
  })

  it('does not bring back a rule that was removed', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('PATCH', `/api/tasks/${task.id}`, { recurrence_rule: null })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect((await reopen(user, task.id)).task).toMatchObject({ is_completed: false, is_recurring: false })
  })

  it('keeps a next occurrence that was changed, and refuses', async () => {
    const user = newUser()
    const task = await daily(user)
    const following = (await next(user, task.id))!
    await user.does('PATCH', `/api/tasks/${following.id}`, { title: 'Pay the rent' })
    expect(await reopen(user, task.id)).toMatchObject({
      status: 409,
      problem: { code: 'task.successor_exists' },
    })
  })

  it('gets one next occurrence when it is reopened before the event of its completion arrives', async () => {
    const user = newUser()
    const task = await daily(user)
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    await service.deliver()
    expect(await types(user)).toEqual(['task.created', 'task.completed', 'task.reopened'])
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-03T09:00:00.000Z' })
  })

  it('goes on after what was missed when it is completed a second time', async () => {
    const user = newUser()
    const task = await daily(user)
    await next(user, task.id, '2026-03-05T10:00:00Z')
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect(await next(user, task.id, '2026-03-07T10:00:00Z')).toMatchObject({
      due_at: '2026-03-08T09:00:00.000Z',
    })
    expect(await history(task.series_id)).toEqual([
      'completed',
      'missed',
      'missed',
      'missed',
      'missed',
      'missed',
      'open',
    ])
  })

  it('goes on after more missed days than are read at a time', async () => {
    const user = newUser()
    const task = await daily(user)
    await next(user, task.id, '2026-06-30T10:00:00Z')
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-07-01T09:00:00.000Z' })
  })

  it('revives a series that had come to its end', async () => {
    const user = newUser()
    const task = await daily(user, { recurrence_rule: 'FREQ=DAILY;COUNT=1' })
    await next(user, task.id)
    const seen = (await user.events()).length
    await reopen(user, task.id)
    expect(await types(user, seen)).toEqual(['task.reopened', 'series.updated'])
    await next(user, task.id)
    expect(await types(user, seen + 2)).toEqual(['task.completed', 'series.ended'])
  })

  it('opens an occurrence that others have followed as a task by itself', async () => {
    const user = newUser()
    const first = await daily(user)
    const second = (await next(user, first.id, '2026-03-02T10:00:00Z'))!
    const third = (await next(user, second.id, '2026-03-03T10:00:00Z'))!
    const seen = (await user.events()).length
    expect((await reopen(user, first.id)).task).toMatchObject({ is_completed: false, is_recurring: false })
    expect(await types(user, seen)).toEqual(['task.reopened'])
    expect(await history(first.series_id)).toEqual(['open', 'completed', 'open'])
    expect(await next(user, first.id)).toBeUndefined()
    expect(await next(user, third.id, '2026-03-04T10:00:00Z')).toMatchObject({
      due_at: '2026-03-05T09:00:00.000Z',
    })
    expect(await history(first.series_id)).toEqual(['completed', 'completed', 'completed', 'open'])
  })

  it('does not bring back a series that was ended on a later occurrence', async () => {
    const user = newUser()
    const first = await daily(user)
    const second = (await next(user, first.id, '2026-03-02T10:00:00Z'))!
    await user.does('PATCH', `/api/tasks/${second.id}`, { recurrence_rule: null })
    expect((await reopen(user, first.id)).task).toMatchObject({ is_completed: false, is_recurring: false })
    expect(await next(user, first.id)).toBeUndefined()
    expect(await next(user, second.id)).toBeUndefined()
    expect(await history(first.series_id)).toEqual(['completed', 'completed'])
  })

  it('does not bring back a series that was ended by deleting a later occurrence', async () => {
    const user = newUser()
    const first = await daily(user)
    const second = (await next(user, first.id, '2026-03-02T10:00:00Z'))!
    await user.does('DELETE', `/api/tasks/${second.id}`)
    expect((await reopen(user, first.id)).task).toMatchObject({ is_recurring: false })
    expect(await user.does('POST', `/api/tasks/${second.id}/restore`)).toMatchObject({ is_recurring: true })
  })

  it('leaves a taken-back occurrence that is restored a task by itself', async () => {
    const user = newUser()
    const task = await daily(user)
    const following = (await next(user, task.id, '2026-03-02T10:00:00Z'))!
    await reopen(user, task.id)
    const again = (await next(user, task.id))!
    const restored = await user.does('POST', `/api/tasks/${following.id}/restore`)
    expect(restored).toMatchObject({ is_recurring: false, series_id: null, due_at: again.due_at })
    expect(await next(user, restored.id)).toBeUndefined()
    expect(await history(task.series_id)).toEqual(['completed', 'open'])
  })
})
