import { describe, expect, it } from 'vitest'
import type { Suggestions } from '../../shared/domain/suggestions/suggestion.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['suggestions/list-suggestions'])
const { newUser, at } = service

const suggestions = async (user: Client, query = '') =>
  (await user.send('GET', `/api/suggestions${query}`)).body as Suggestions

/** Three that are completed at 18:00, and one like them that is open. */
async function withHabit(user: Client) {
  for (const day of ['2026-03-03', '2026-03-04', '2026-03-05']) {
    at(`${day}T18:00:00Z`)
    const { id } = await user.create({ title: 'Pay rent', tags: ['home'] })
    await user.does('POST', `/api/tasks/${id}/complete`)
  }
  at('2026-03-06T08:00:00Z')
  return user.create({ title: 'Rent of May', due_date: '2026-03-06' })
}

describe('GET /api/suggestions', () => {
  it('says what to do next, and what it lacks by what was done before', async () => {
    const user = newUser()
    const task = await withHabit(user)
    const { items, time_slots } = await suggestions(user)
    expect(items.map(({ kind, task_id, value, reason }) => [kind, task_id, value, reason])).toEqual([
      ['next', task.id, null, 'due today'],
      ['tag', task.id, 'home', '3 of 3 tasks with "rent" have this tag'],
      ['time', task.id, '18:00', '3 of 3 tasks with "rent" were completed in this hour'],
    ])
    expect(time_slots).toEqual([])
    expect(await suggestions(user)).toEqual({ items, time_slots })
  })

  it('knows nothing of other users, and of deleted tasks', async () => {
    const user = newUser()
    const task = await withHabit(user)
    expect((await suggestions(newUser())).items).toEqual([])
    await user.send('DELETE', `/api/tasks/${task.id}`)
    expect((await suggestions(user)).items).toEqual([])
  })

  it('has at most so many of each kind, in the zone that is asked for', async () => {
    const user = newUser()
    await withHabit(user)
    await user.create({ title: 'Rent', due_date: '2026-03-07' })
    const { items } = await suggestions(user, '?limit=1&time_zone=Asia/Tokyo')
    expect(items.map(({ kind, value }) => [kind, value])).toEqual([
      ['next', null],
      ['tag', 'home'],
      ['time', '03:00'],
    ])
  })
})
