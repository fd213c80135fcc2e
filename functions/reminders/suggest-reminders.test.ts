import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const service = await reminderApi()
const { add, newUser } = service

describe('GET /api/tasks/:id/reminder-suggestions', () => {
  it('suggests times that can be taken as they are', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    for (const input of [{ due_at: '2026-03-30T07:00:00Z', priority: 'high' }, { due_date: '2026-03-29' }]) {
      const task = await user.create(input)
      const { body } = await user.send('GET', `/api/tasks/${task.id}/reminder-suggestions`)
      const { items } = body as { items: { remind_at: string; offset_minutes: number; label: string }[] }
      expect(items.length).toBeGreaterThan(1)
      for (const { remind_at, offset_minutes } of items) {
        expect(await add(user, task.id, { offset_minutes })).toMatchObject({ remind_at })
      }
      expect(items.toSorted((a, b) => (a.remind_at < b.remind_at ? -1 : 1))).toEqual(items)
    }
  })

  it('suggests nothing for a task without a due time', async () => {
    const user = newUser()
    const { id } = await user.create()
    expect((await user.send('GET', `/api/tasks/${id}/reminder-suggestions`)).body).toEqual({ items: [] })
  })
})
