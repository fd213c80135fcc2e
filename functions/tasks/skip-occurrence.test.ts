import { describe, expect, it } from 'vitest'
import { dailySeries } from '../../testing/builders/daily-series.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next } = service
const { daily } = dailySeries(service)

const skip = (user: Client, id: string) => user.send('POST', `/api/tasks/${id}/skip`)

describe('POST /api/tasks/:id/skip', () => {
  it('leaves this occurrence out; the next one follows', async () => {
    const user = newUser()
    const task = await daily(user)
    service.at('2026-03-01T10:00:00Z')
    const skipped = (await skip(user, task.id)).task
    expect(skipped).toEqual({
      ...task,
      deleted_at: '2026-03-01T10:00:00.000Z',
      updated_at: '2026-03-01T10:00:00.000Z',
      version: 2,
    })
    await service.deliver()
    expect(await user.events()).toMatchObject([
      { type: 'task.created' },
      { type: 'task.occurrence.skipped', subject: `task/${task.id}`, data: { task: skipped } },
      {
        type: 'task.occurrence.generated',
        data: { task: { due_at: '2026-03-03T09:00:00.000Z' }, missed: [] },
      },
    ])
  })

  it('never goes back where the series repeats from completion', async () => {
    const user = newUser()
    service.at('2026-11-20T12:00:00Z')
    const rule = { recurrence_rule: 'weekly', repeat_from: 'completion' }
    for (const due of [{ due_at: '2027-03-15T09:00:00Z' }, { due_date: '2027-03-15' }]) {
      const task = await user.create({ ...due, ...rule })
      await skip(user, task.id)
      await service.deliver()
      expect((await user.events()).at(-1)?.data.task.due_date).toBe('2027-03-22')
    }
  })

  it('is over for the task: skipping it again is a 404', async () => {
    const user = newUser()
    const task = await daily(user)
    await skip(user, task.id)
    expect(await skip(user, task.id)).toMatchObject({ status: 404 })
  })

  it('ends the series when it leaves out the last occurrence', async () => {
    const user = newUser()
    const task = await daily(user, { recurrence_rule: 'FREQ=DAILY;COUNT=1' })
    await skip(user, task.id)
    await service.deliver()
    expect((await user.events()).at(-1)?.type).toBe('series.ended')
  })

  it('refuses for a plain task, a completed occurrence and one whose series has ended', async () => {
    const user = newUser()
    const plain = await user.create()
    const first = await daily(user)
    const second = (await next(user, first.id))!
    await user.does('PATCH', `/api/tasks/${second.id}`, { recurrence_rule: null })
    for (const { id } of [plain, first, second]) {
      expect(await skip(user, id)).toMatchObject({ status: 409, problem: { code: 'task.not_recurring' } })
    }
  })
})
