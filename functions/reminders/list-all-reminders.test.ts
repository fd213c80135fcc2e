import { describe, expect, it } from 'vitest'
import type { ListedReminderView } from '../../shared/domain/reminders/reminder.ts'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'
import type { Client } from '../../testing/worlds/task-service.ts'

const service = await reminderApi()
const { add, get, newUser, write } = service

const page = async (user: Client, query: Record<string, string> = {}) => {
  const got = await user.send('GET', `/api/reminders?${new URLSearchParams(query).toString()}`)
  expect(got.status).toBe(200)
  return got.body as { items: ListedReminderView[]; next_cursor: string | null }
}
const ids = async (user: Client, query: Record<string, string> = {}) =>
  (await page(user, query)).items.map(({ id }) => id)
const DUE = { due_at: '2026-03-02T12:00:00Z' }

describe('GET /api/reminders', () => {
  it('lists those of all tasks with their titles, the earliest first, and nobody else has them', async () => {
    const [user, other] = [newUser(), newUser()]
    const [rent, bank] = [await user.create(DUE), await user.create({ ...DUE, title: 'Call the bank' })]
    const late = await add(user, rent.id, { offset_minutes: 5 })
    const early = await add(user, bank.id, { remind_at: '2026-03-02T09:00:00Z' })
    const gone = await add(user, bank.id, { offset_minutes: 30 })
    await write(user, 'DELETE', `/api/reminders/${gone.id}`)
    expect((await page(user)).items).toEqual([
      { ...early, task_title: 'Call the bank' },
      { ...late, task_title: 'Pay rent' },
    ])
    expect(await page(other)).toEqual({ items: [], next_cursor: null })
  })

  it('comes in pages without a gap or a repetition, also among equal times and those without one', async () => {
    const user = newUser()
    const made: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const task = await user.create(DUE)
      made.push((await add(user, task.id, { offset_minutes: 60 })).id)
      const undated = await user.create(DUE)
      made.push((await add(user, undated.id, { offset_minutes: 60 })).id)
      await user.does('PATCH', `/api/tasks/${undated.id}`, { due_at: null })
    }
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const got = await page(user, { limit: '3', ...(cursor && { cursor }) })
      seen.push(...got.items.map(({ id }) => id))
      cursor = got.next_cursor
    } while (cursor)
    expect(seen.toSorted()).toEqual(made.toSorted())
    expect(seen).toEqual(await ids(user))
  })

  it('takes a span of time: from this instant, before that one', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    const at = async (time: string) => (await add(user, task.id, { remind_at: `2026-03-02T${time}:00Z` })).id
    const [nine, ten, eleven] = [await at('09:00'), await at('10:00'), await at('11:00')]
    expect(await ids(user, { from: '2026-03-02T10:00:00Z' })).toEqual([ten, eleven])
    expect(await ids(user, { to: '2026-03-02T10:00:00Z' })).toEqual([nine])
    const span = { from: '2026-03-02T09:30:00Z', to: '2026-03-02T10:30:00Z' }
    expect(await ids(user, span)).toEqual([ten])
  })

  it('takes local times and dates in the zone of the user', async () => {
    const user = newUser({ timeZone: 'Asia/Kolkata' })
    const task = await user.create({ due_at: '2026-03-04T12:00:00Z', time_zone: 'UTC' })
    const [today, tonight, later] = [
      await add(user, task.id, { remind_at: '2026-03-02T18:29:00Z' }),
      await add(user, task.id, { remind_at: '2026-03-02T18:30:00Z' }),
      await add(user, task.id, { remind_at: '2026-03-03T18:30:00Z' }),
    ]
    expect(await ids(user, { from: '2026-03-03', to: '2026-03-04' })).toEqual([tonight.id])
    expect(await ids(user, { to: '2026-03-03' })).toEqual([today.id])
    expect(await ids(user, { from: '2026-03-03T00:00:01' })).toEqual([later.id])
  })

  it('takes each status, as the reminder itself says it', async () => {
    const user = newUser()
    await service.sql`insert into users values (${user.id}, ${`${user.id}@example.org`}, 'x', 'UTC', now(), now())`
    const fresh = async (input: object = { offset_minutes: 60 }) => {
      const task = await user.create({ ...DUE, recurrence_rule: 'daily' })
      return { task, ...(await add(user, task.id, input)) }
    }
    const made = [
      await fresh(),
      await fresh(),
      await fresh(),
      await fresh({ offset_minutes: 5 }),
      await fresh(),
    ]
    made.push(await fresh({ offset_minutes: 60, channels: ['email'] }), await fresh({ offset_minutes: 1440 }))
    const failing = await fresh({ offset_minutes: 60, channels: ['email'] })
    await fresh({ offset_minutes: 60, channels: ['in_app'] })
    await add(user, made[0]!.task.id, { offset_minutes: 60 })
    await service.tickAt('11:00:00')
    await service.sql`update deliveries set state = 'failed' where reminder_id = ${failing.id}`
    await write(user, 'POST', `/api/reminders/${made[1]!.id}/acknowledge`)
    await write(user, 'POST', `/api/reminders/${made[2]!.id}/snooze`, { minutes: 5 })
    await user.does('POST', `/api/tasks/${made[3]!.task.id}/complete`)
    const all = (await page(user)).items
    expect(new Set(all.map(({ status }) => status)).size).toBe(7)
    for (const one of all) expect((await get(user, one.id)).status).toBe(one.status)
    for (const status of new Set(all.map((one) => one.status))) {
      const wanted = all.filter((one) => one.status === status)
      expect([status, (await page(user, { status })).items]).toEqual([status, wanted])
    }
  })

  it.each([
    [{ cursor: 'junk' }, 'cursor'],
    [{ status: 'sleeping' }, 'status'],
    [{ from: 'today' }, 'from'],
    [{ limit: '101' }, 'limit'],
  ])('refuses %o', async (query: Record<string, string>, path) => {
    const { status, problem } = await newUser().send(
      'GET',
      `/api/reminders?${new URLSearchParams(query).toString()}`,
    )
    expect([status, problem.errors?.map((error) => error.path)]).toEqual([422, [path]])
  })

  it('refuses the cursor of another list', async () => {
    const user = newUser()
    const task = await user.create(DUE)
    for (const minutes of [5, 10]) await add(user, task.id, { offset_minutes: minutes })
    const { next_cursor: cursor } = await page(user, { limit: '1' })
    const got = await user.send('GET', `/api/reminders?status=scheduled&cursor=${cursor}`)
    expect(got).toMatchObject({ status: 422, problem: { code: 'request.invalid' } })
  })
})
