import { describe, expect, it } from 'vitest'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService(['tasks/purge-expired'])
const { newUser, sql, app } = service

const tick = () =>
  app.request('/dapr/cron/purge-expired-cron', {
    method: 'POST',
    ...asSidecar,
  })
const count = async (rows: ReturnType<typeof sql>) =>
  (await sql<{ count: number }[]>`select count(*)::int from ${rows}`)[0]!.count

describe('purge-expired', () => {
  it('removes deleted tasks when they can no longer be restored, not before', async () => {
    const user = newUser()
    const kept = await user.create()
    const gone = await user.create({ tags: ['home'] })
    await user.does('DELETE', `/api/tasks/${gone.id}`)
    service.at('2026-04-01T08:00:00.000Z')
    expect((await tick()).status).toBe(204)
    expect(await user.send('POST', `/api/tasks/${gone.id}/restore`)).toMatchObject({ status: 200 })
    await user.does('DELETE', `/api/tasks/${gone.id}`)
    service.at('2026-05-01T08:00:00.001Z')
    expect((await tick()).status).toBe(204)
    expect(await user.send('POST', `/api/tasks/${gone.id}/restore`)).toMatchObject({ status: 404 })
    expect(await user.send('PATCH', `/api/tasks/${kept.id}`, {})).toMatchObject({ status: 200 })
  })

  it('keeps what happened and the history of a series', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    const following = (await service.next(user, task.id))!
    await user.does('DELETE', `/api/tasks/${task.id}`)
    const happened = await user.events()
    service.at('2026-06-01T08:00:00Z')
    await tick()
    expect(await user.events()).toEqual(happened)
    expect(await service.next(user, following.id)).toMatchObject({ series_id: task.series_id })
  })

  it('removes answers after a day and dedupe marks after eight, more of them than go in one batch', async () => {
    const user = newUser()
    const answers = 2500
    await sql`insert into idempotency_keys (user_id, key, fingerprint, answer, expires_at)
      select ${user.id}, n::text, 'f', '{}', '2026-03-03T08:00:00Z' from generate_series(1, ${answers}) n`
    await sql`insert into user_counters (user_id, kept_answers, answer_bytes) values (${user.id}, ${answers}, ${2 * answers})`
    await sql`insert into processed_events (consumer, event_id, processed_at)
      values ('test', gen_random_uuid(), '2026-03-02T08:00:00Z')`
    const left = async () => [
      await count(sql`idempotency_keys`),
      await count(sql`processed_events where consumer = 'test'`),
    ]
    service.at('2026-03-03T08:00:00.000Z')
    await tick()
    expect(await left()).toEqual([answers, 1])
    service.at('2026-03-03T08:00:00.001Z')
    await tick()
    expect(await left()).toEqual([0, 1])
    service.at('2026-03-10T08:00:00.001Z')
    await tick()
    expect(await left()).toEqual([0, 0])
  })

  it('removes what was told after ninety days and settled dead letters after fourteen', async () => {
    const user = newUser()
    await sql`insert into notifications (id, user_id, source, type, title, body, late, created_at)
      values (gen_random_uuid(), ${user.id}, 'event/1', 'notice', 't', 'b', false, '2026-03-02T08:00:00Z')`
    await sql`insert into user_counters (user_id, kept_notifications) values (${user.id}, 1)`
    await sql`insert into dead_letters
        (id, event_id, consumer, type, reason, letter, state, times, received_at, resolved_at)
      select gen_random_uuid(), 'e', state, 't', 'r', '{}', state, 1, '2026-03-01T08:00:00Z', resolved
      from (values ('open', null), ('replayed', timestamptz '2026-03-02T08:00:00Z')) l (state, resolved)`
    const left = async () => [await count(sql`notifications`), await count(sql`dead_letters`)]
    for (const [instant, kept] of [
      ['2026-03-16T08:00:00.000Z', [1, 2]],
      ['2026-03-16T08:00:00.001Z', [1, 1]],
      ['2026-05-31T08:00:00.000Z', [1, 1]],
      ['2026-05-31T08:00:00.001Z', [0, 1]],
    ] as const) {
      service.at(instant)
      expect((await tick()).status).toBe(204)
      expect(await left()).toEqual(kept)
    }
  })

  it('may run twice at once', async () => {
    const user = newUser()
    const tasks = await Promise.all(Array.from({ length: 50 }, () => user.create({ tags: ['home'] })))
    await Promise.all(tasks.map(({ id }) => user.does('DELETE', `/api/tasks/${id}`)))
    service.at('2026-06-01T08:00:00Z')
    const answers = await Promise.all([tick(), tick(), tick()])
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
    const [left] = await sql<{ count: number }[]>`select count(*)::int from tasks where user_id = ${user.id}`
    expect(left).toEqual({ count: 0 })
  })
})
