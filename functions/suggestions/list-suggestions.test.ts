import { describe, expect, it } from 'vitest'
import { suggestionService } from '../../testing/worlds/suggestion-service.ts'

const { newUser, suggestions, withHabit } = await suggestionService()

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
