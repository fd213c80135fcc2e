import { describe, expect, it } from 'vitest'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next, sql } = service

describe('POST /api/tasks/:id/complete', () => {
  it('completes the task now, once however often it is asked', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['home'] })
    service.at('2026-03-05T10:00:00.123Z')
    const done = await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(done).toEqual({
      ...task,
      is_completed: true,
      completed_at: '2026-03-05T10:00:00.123Z',
      version: 2,
      updated_at: '2026-03-05T10:00:00.123Z',
    })
    service.at('2026-03-06T10:00:00Z')
    expect(await user.does('POST', `/api/tasks/${task.id}/complete`)).toEqual(done)
    const [, event, ...others] = await user.events()
    expect(event).toMatchObject({ type: 'task.completed', subject: `task/${task.id}`, data: { task: done } })
    expect(others).toEqual([])
    const [tag] = await sql`select active, completed from tags where user_id = ${user.id}`
    expect(tag).toEqual({ active: 0, completed: 1 })
  })

  it("offers today's after yesterday's in a series of days, until the day is over in its zone", async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    service.at('2026-03-01T12:00:00Z')
    const sunday = await user.create({ due_date: '2026-03-01', recurrence_rule: 'daily' })
    // It is 23:30 on Monday in New York, and Tuesday in UTC.
    const monday = (await next(user, sunday.id, '2026-03-03T04:30:00Z'))!
    expect(monday).toMatchObject({ due_date: '2026-03-02', occurrence_at: '2026-03-02' })
    const tuesday = (await next(user, monday.id, '2026-03-03T04:45:00Z'))!
    expect(tuesday.due_date).toBe('2026-03-03')
    await next(user, tuesday.id, '2026-03-06T12:00:00Z')
    expect((await user.events()).at(-1)?.data).toMatchObject({
      task: { due_date: '2026-03-06' },
      missed: ['2026-03-04', '2026-03-05'],
    })
  })

  it('gives a recurring task its next occurrence, with the content of the series in the same place', async () => {
    const user = newUser()
    const task = await user.create({
      title: 'Water plants',
      tags: ['green'],
      priority: 'high',
      description: 'all of them',
      due_at: '2026-03-23T09:00:00+01:00',
      time_zone: 'Europe/Berlin',
      recurrence_rule: 'weekly',
    })
    service.at('2026-03-22T10:00:00Z')
    const following = (await next(user, task.id))!
    expect(following).toMatchObject({
      title: 'Water plants',
      tags: ['green'],
      priority: 'high',
      description: 'all of them',
      // 9:00 in Berlin, after the clocks have changed.
      due_at: '2026-03-30T07:00:00.000Z',
      due_date: '2026-03-30',
      time_zone: 'Europe/Berlin',
      series_id: task.series_id,
      position: task.position,
      version: 1,
      is_completed: false,
    })
    expect((await user.events()).map(({ type, data }) => [type, data.actor])).toEqual([
      ['task.created', { type: 'user', id: user.id }],
      ['task.completed', { type: 'user', id: user.id }],
      [
        'task.occurrence.generated',
        {
          type: 'system',
          id: 'recurrence',
          on_behalf_of: user.id,
          made_by: 'consumer/create-next-occurrence',
        },
      ],
    ])
    const [, completed, generated] = await user.events()
    expect(generated?.data).toMatchObject({ missed: [] })
    expect(generated?.traceparent.slice(0, 35)).toBe(completed?.traceparent.slice(0, 35))
  })

  it('ends the series after its last occurrence', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'FREQ=DAILY;COUNT=1' })
    expect(await next(user, task.id, '2026-03-02T10:00:00Z')).toBeUndefined()
    expect((await user.events()).at(-1)).toMatchObject({
      type: 'series.ended',
      subject: `series/${task.series_id}`,
      data: { series: { state: 'ended', live_task_id: null, generated: 1 } },
    })
  })

  it('passes over what was missed, and says so', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    const following = await next(user, task.id, '2026-03-05T09:00:00Z')
    expect(following?.due_at).toBe('2026-03-06T09:00:00.000Z')
    const missed = ['2026-03-03T09:00:00.000Z', '2026-03-04T09:00:00.000Z', '2026-03-05T09:00:00.000Z']
    expect((await user.events()).at(-1)?.data.missed).toEqual(missed)
    const rows = await sql<{ occurrence_at: Date; state: string }[]>`
      select occurrence_at, state from occurrences where series_id = ${task.series_id} order by 1`
    expect(rows.map((row) => row.state)).toEqual(['completed', 'missed', 'missed', 'missed', 'open'])
    expect(rows.slice(1, 4).map((row) => row.occurrence_at.toISOString())).toEqual(missed)
  })

  it('repeats from completion when asked to, at the time of day of the series', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const task = await user.create({
      due_at: '2026-03-02T09:00:00+01:00',
      recurrence_rule: 'FREQ=DAILY;INTERVAL=3',
      repeat_from: 'completion',
    })
    expect(await next(user, task.id, '2026-03-27T22:00:00Z')).toMatchObject({
      due_at: '2026-03-30T07:00:00.000Z',
      repeat_from: 'completion',
    })
    expect((await user.events()).at(-1)?.data.missed).toEqual([])
  })

  it('never hits an instant again that was completed ahead of its time', async () => {
    const user = newUser()
    const daily = { due_at: '2026-03-10T09:00:00Z', recurrence_rule: 'daily', repeat_from: 'completion' }
    const task = await user.create(daily)
    const following = (await next(user, task.id, '2026-03-09T20:00:00Z'))!
    expect(following.due_at).toBe('2026-03-11T09:00:00.000Z')
    expect(await next(user, following.id, '2026-03-09T21:00:00Z')).toMatchObject({
      due_at: '2026-03-12T09:00:00.000Z',
    })
  })

  it('counts occurrences, not days, when a series with COUNT repeats from completion', async () => {
    const user = newUser()
    const task = await user.create({
      due_at: '2026-03-02T09:00:00Z',
      recurrence_rule: 'FREQ=DAILY;COUNT=3',
      repeat_from: 'completion',
    })
    const second = (await next(user, task.id, '2026-03-20T10:00:00Z'))!
    const third = (await next(user, second.id, '2026-04-20T10:00:00Z'))!
    expect(third.due_at).toBe('2026-04-21T09:00:00.000Z')
    expect(await next(user, third.id, '2026-05-20T10:00:00Z')).toBeUndefined()
  })

  it('makes one next occurrence when the event comes again, and after the occurrence exists', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await next(user, task.id, '2026-03-02T10:00:00Z')
    const events = (await user.events()).length
    const again = service.published.findLast(
      ({ topic, event }) =>
        topic === 'task-events' && event.type === 'task.completed' && event.userid === user.id,
    )
    await Promise.all(
      Array.from({ length: 5 }, () => service.deps.broker.publishAll('task-events', [again!.event])),
    )
    expect(await user.events()).toHaveLength(events)
  })
})
