import { describe, expect, it } from 'vitest'
import type { SuggestionView } from '../../shared/domain/suggestions/suggestion.ts'
import { suggestionService } from '../../testing/worlds/suggestion-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'

const service = await suggestionService(['suggestions/give-feedback'])
const { newUser, at, suggestions, withHabit } = service

const feedback = (user: Client, { id }: SuggestionView, verdict: string, headers = {}) =>
  user.send('POST', `/api/suggestions/${id}/feedback`, { verdict }, headers)

describe('POST /api/suggestions/{id}/feedback', () => {
  it('is recorded once, and taken into account', async () => {
    const user = newUser()
    const task = await withHabit(user)
    const [next, tag] = (await suggestions(user)).items as [SuggestionView, SuggestionView]
    const once = { 'idempotency-key': 'one' }
    const given = await feedback(user, tag, 'dismissed', once)
    expect(given.status).toBe(200)
    expect((await feedback(user, tag, 'dismissed', once)).body).toEqual(given.body)
    expect(given.body).toEqual({
      kind: 'tag',
      task_id: task.id,
      value: 'home',
      verdict: 'dismissed',
      given_at: '2026-03-06T08:00:00.000Z',
    })
    await feedback(user, next, 'dismissed')
    expect((await suggestions(user)).items.map(({ kind }) => kind)).toEqual(['time'])
    at('2026-03-07T08:00:00Z')
    expect((await suggestions(user)).items.map(({ kind }) => kind)).toEqual(['next', 'time'])
    const told = (await user.events()).filter(({ type }) => type === 'suggestion.feedback.given')
    expect(told.map(({ subject, data }) => [subject, data['feedback']])).toMatchObject([
      [`task/${task.id}`, given.body],
      [`task/${task.id}`, { kind: 'next', verdict: 'dismissed' }],
    ])
  })

  it('is taken of a task that has been completed since, and of no foreign one', async () => {
    const user = newUser()
    const task = await withHabit(user)
    const [next] = (await suggestions(user)).items as [SuggestionView]
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect((await feedback(user, next, 'accepted')).status).toBe(200)
    expect((await feedback(newUser(), next, 'accepted')).status).toBe(404)
    expect((await feedback(user, { ...next, id: 'next.x' }, 'accepted')).status).toBe(404)
    expect((await feedback(user, next, 'perhaps')).status).toBe(422)
  })
})
