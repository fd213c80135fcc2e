import { beforeEach, describe, expect, it } from 'vitest'
import { usualQuotas } from '../../testing/builders/usual-quotas.ts'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService([
  'tasks/purge-expired',
  'reminders/add-reminder',
  'reminders/snooze-reminder',
])
const { newUser, sql, app, deps, next, at } = service

const allow = (quotas: Partial<ReturnType<typeof usualQuotas>>) => Object.assign(deps.settings.quotas, quotas)
beforeEach(() => void allow(usualQuotas()))

const create = (user: Client, input: object = {}, headers?: Record<string, string>) =>
  user.send('POST', '/api/tasks', { title: 'Pay rent', ...input }, headers)
const kept = async (user: Client) =>
  (await sql<{ count: number }[]>`select count(*)::int from tasks where user_id = ${user.id}`)[0]!.count
const over = (most: string) => ({
  status: 409,
  problem: { code: 'quota.exceeded', detail: expect.stringContaining(most) as string },
})
const DAILY = { due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' }

describe('tasks of a user', () => {
  it('are no more than are kept, however many are created at once, and nothing is left of the others', async () => {
    allow({ tasks: 5 })
    const user = newUser()
    const answers = await Promise.all(Array.from({ length: 30 }, () => create(user)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect(answer).toMatchObject(over('tasks (5)'))
    expect([await kept(user), (await user.events()).length]).toEqual([5, 5])
    expect((await create(newUser())).status).toBe(201)
  })

  it('count while they can be restored, and no more when they are purged', async () => {
    allow({ tasks: 2 })
    const user = newUser()
    const [one] = [await user.create(), await user.create()]
    await user.does('DELETE', `/api/tasks/${one.id}`)
    expect(await create(user)).toMatchObject(over('tasks (2)'))
    await user.does('POST', `/api/tasks/${one.id}/restore`)
    await user.does('DELETE', `/api/tasks/${one.id}`)
    at('2026-05-01T08:00:00Z')
    await app.request('/dapr/cron/purge-expired-cron', {
      method: 'POST',
      ...asSidecar,
    })
    expect((await create(user)).status).toBe(201)
  })

  it('can be edited, completed and deleted by whoever has as many as are kept', async () => {
    allow({ tasks: 1 })
    const user = newUser()
    const task = await user.create()
    await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Pay the rent' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect((await user.send('DELETE', `/api/tasks/${task.id}`)).status).toBeLessThan(300)
  })

  it('that recur go on beyond: no successor is lost, until there are a tenth more', async () => {
    allow({ tasks: 10 })
    const user = newUser()
    for (let n = 0; n < 9; n += 1) await user.create()
    const first = await user.create(DAILY)
    const second = (await next(user, first.id))!
    // The eleventh task is there; a twelfth would be the last of the tenth more.
    expect(await kept(user)).toBe(11)
    const third = (await next(user, second.id))!
    expect(await kept(user)).toBe(12)
    for (const act of ['complete', 'skip']) {
      expect(await user.send('POST', `/api/tasks/${third.id}/${act}`)).toMatchObject(over('tasks (11)'))
    }
    await user.does('DELETE', `/api/tasks/${third.id}`)
  })
})

describe('a task', () => {
  it('takes no more bytes than are allowed, whichever field they are in', async () => {
    allow({ taskBytes: 1000 })
    const user = newUser()
    const letters = (count: number) => 'ü'.repeat(count)
    const task = await user.create({ title: 'x', description: letters(499) })
    const refusals = [
      await create(user, { title: 'x', description: letters(500) }),
      await create(user, { title: 'xx', description: letters(490), tags: ['0123456789', '9876543210'] }),
      await user.send('PATCH', `/api/tasks/${task.id}`, { title: letters(2) }),
      await user.send('PUT', `/api/tasks/${task.id}`, { title: 'x', description: letters(500) }),
    ]
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 422, problem: { errors: [{ path: 'description' }] } })
      expect(refusal.problem.detail).toContain('at most 1,000')
    }
  })

  it('that was larger when more was allowed can be completed, and edited as long as it does not grow', async () => {
    const user = newUser()
    const task = await user.create({ description: 'x'.repeat(500) })
    allow({ taskBytes: 100 })
    await user.does('PATCH', `/api/tasks/${task.id}`, { priority: 'high', description: 'x'.repeat(400) })
    expect(await user.send('PATCH', `/api/tasks/${task.id}`, { description: 'x'.repeat(401) })).toMatchObject(
      {
        status: 422,
      },
    )
    await user.does('POST', `/api/tasks/${task.id}/complete`)
  })
})

describe('reminders of a user', () => {
  const DUE = { due_at: '2026-03-03T09:00:00Z' }
  const remind = (user: Client, id: string, remind_at: string) =>
    user.send('POST', `/api/tasks/${id}/reminders`, { remind_at })

  it('still to come are no more than are kept, also at once and with the task; those that are over do not count', async () => {
    allow({ openReminders: 5 })
    const user = newUser()
    const task = await user.create(DUE)
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 2 === 0
          ? remind(user, task.id, `2026-03-02T10:${n + 10}:00Z`)
          : create(user, { remind_at: `2026-03-02T10:${n + 10}:00Z` }),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(answer).toMatchObject(over('pending reminders (5)'))
    }
    const other = await user.create(DUE)
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    const [left] = await sql<{ count: number }[]>`
      select count(*)::int from reminders where user_id = ${user.id} and fire_at is not null`
    const more = await Promise.all(
      Array.from({ length: 6 }, (_, n) => remind(user, other.id, `2026-03-02T11:1${n}:00Z`)),
    )
    expect(more.filter(({ status }) => status === 201)).toHaveLength(5 - left!.count)
  })

  it('due in one minute are no more than are allowed, wherever they come from', async () => {
    allow({ remindersPerMinute: 3 })
    const user = newUser()
    const task = await user.create(DUE)
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => remind(user, task.id, `2026-03-02T10:00:${n * 7 + 10}.000Z`)),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(answer).toMatchObject(over('reminders in this minute (3)'))
    }
    const elsewhere = await remind(user, task.id, '2026-03-02T10:01:00Z')
    expect(elsewhere.status).toBe(201)
    const { id } = elsewhere.body as { id: string }
    expect(
      await user.send('POST', `/api/reminders/${id}/snooze`, { until: '2026-03-02T10:00:59Z' }),
    ).toMatchObject({
      status: 422,
    })
    const moved = await remind(user, task.id, '2026-03-02T09:00:00Z')
    const until = { until: '2026-03-02T10:00:30Z' }
    const { id: early } = moved.body as { id: string }
    expect(await user.send('POST', `/api/reminders/${early}/snooze`, until)).toMatchObject(
      over('reminders in this minute (3)'),
    )
    expect(await create(user, { remind_at: '2026-03-02T10:00:00Z' })).toMatchObject(
      over('reminders in this minute (3)'),
    )
    expect((await create(newUser(), { remind_at: '2026-03-02T10:00:00Z' })).status).toBe(201)
  })
})

describe('answers kept by Idempotency-Key', () => {
  const keyed = (user: Client, key: string) => create(user, {}, { 'idempotency-key': key })

  it('are no more than are kept, also at once; kept ones are given again, and writes without a key go on', async () => {
    allow({ answers: 4 })
    const user = newUser()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => keyed(user, `${n}`)))
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(6)
    for (const answer of refused) expect(answer).toMatchObject(over('in a day (4)'))
    const n = answers.findIndex(({ status }) => status === 201)
    expect((await keyed(user, `${n}`)).body).toEqual(answers[n]!.body)
    expect((await create(user)).status).toBe(201)
    // A key of yesterday takes the place of its answer.
    at('2026-03-03T08:00:00.001Z')
    expect((await keyed(user, `${n}`)).status).toBe(409)
    allow({ answers: 5 })
    expect((await keyed(user, `${n}`)).status).toBe(201)
  })

  it('take no more bytes than are allowed', async () => {
    allow({ answerBytes: 1500 })
    const user = newUser()
    const statuses: number[] = []
    for (let n = 0; n < 4; n += 1) statuses.push((await keyed(user, `${n}`)).status)
    expect(statuses).toEqual([201, 201, 409, 409])
    expect(await keyed(user, 'x')).toMatchObject(over('in a day (1,500)'))
  })
})
