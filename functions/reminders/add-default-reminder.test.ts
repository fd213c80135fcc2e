import { describe, expect, it } from 'vitest'
import type { ChangeStore } from '../../shared/app/ports.ts'
import { MAX_REMINDERS, type ReminderView } from '../../shared/domain/reminders/reminder.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { deliver, takeMessages, takeOne } from '../../testing/builders/messages.ts'
import { reminderService } from '../../testing/worlds/reminder-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import addDefaultReminder from './add-default-reminder.ts'

const service = await reminderService([
  'reminders/add-default-reminder',
  'reminders/add-reminder',
  'reminders/list-reminders',
  'reminders/edit-reminder',
  'reminders/remove-reminder',
  'reminders/acknowledge-reminder',
  'notifications/set-preferences',
])
const { newUser, at, deps, sql, tick, tickAt, notifications, next } = service

const NINE = '2026-03-02T09:00:00.000Z'
const NOON = '2026-03-02T12:00:00.000Z'
const SUCCESS = { status: 'SUCCESS' }

const prefer = (user: Client, minutes: number | null) =>
  user.does('PUT', '/api/notifications/preferences', { default_reminder_minutes: minutes })

/** Once the events have been consumed. */
async function reminders(user: Client, { id }: { id: string }): Promise<ReminderView[]> {
  await service.deliver()
  const { body } = await user.send('GET', `/api/tasks/${id}/reminders`)
  return (body as { items: ReminderView[] }).items
}

/** Those there are of a task, with those that were removed. */
const rows = ({ id }: { id: string }) => sql<
  { origin: string; fire_at: Date | null; deleted_at: Date | null }[]
>`
  select origin, fire_at, deleted_at from reminders where task_id = ${id} order by id`

/** The consumer alone, over a store that differs. */
function over(change: Partial<ChangeStore>) {
  const other = { ...deps, changes: { ...deps.changes, ...change } }
  return { ...service, app: mountFunctions([addDefaultReminder], other) }
}

describe('a task with a due time', () => {
  it('is told of in the app an hour before, though nobody asked', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    expect(await reminders(user, task)).toMatchObject([
      {
        origin: 'default',
        offset_minutes: 60,
        remind_at: '2026-03-02T11:00:00.000Z',
        channels: ['in_app'],
        status: 'scheduled',
      },
    ])
    await tickAt('11:00:00')
    expect(await notifications(user)).toEqual([{ title: 'Pay rent', late: false, seq: expect.any(Number) }])
    const events = await user.events()
    expect(events.find(({ type }) => type === 'reminder.scheduled')?.data).toMatchObject({
      actor: { type: 'system', id: 'reminders' },
      reminder: { origin: 'default' },
    })
  })

  it.each([
    [0, NOON],
    [15, '2026-03-02T11:45:00.000Z'],
    [239, '2026-03-02T08:01:00.000Z'],
  ])('is told of %i minutes before when that is what the user prefers', async (minutes, remindAt) => {
    const user = newUser()
    await prefer(user, minutes)
    expect(await reminders(user, await user.create({ due_at: NOON }))).toMatchObject([
      { remind_at: remindAt },
    ])
  })

  it.each([
    ['the user prefers none', null, { due_at: NOON }],
    ['it is due in ten minutes', 60, { due_at: '2026-03-02T08:10:00Z' }],
    ['its time is this very moment', 60, { due_at: NINE }],
    ['it is overdue', 0, { due_at: '2026-03-02T07:00:00Z' }],
    ['it is due on a day', 60, { due_date: '2026-03-04' }],
    ['it is not due', 60, {}],
    ['it has another at that time', 60, { due_at: NOON, remind_at: '2026-03-02T11:00:00Z' }],
  ])('is not told of by default when %s', async (_, minutes, input) => {
    const user = newUser()
    await prefer(user, minutes)
    const task = await user.create(input)
    const origins = (await reminders(user, task)).map(({ origin }) => origin)
    expect(origins).toEqual('remind_at' in input ? ['task'] : [])
    await tickAt('11:30:00')
    expect(await notifications(user)).toHaveLength(origins.length)
  })

  it('is told of when it is given one later, also instead of a day', async () => {
    const user = newUser()
    for (const input of [{}, { due_date: '2026-03-02' }]) {
      const task = await user.create(input)
      expect(await reminders(user, task)).toEqual([])
      await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: NOON })
      expect(await reminders(user, task)).toMatchObject([{ remind_at: '2026-03-02T11:00:00.000Z' }])
    }
  })

  it('moves it with the due time', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    await reminders(user, task)
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T15:00:00Z' })
    expect(await reminders(user, task)).toMatchObject([{ remind_at: '2026-03-02T14:00:00.000Z' }])
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: null, due_date: null })
    expect(await reminders(user, task)).toMatchObject([{ remind_at: null, next_fire_at: null }])
    // What the user has just written is not rung back at them.
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T08:10:00Z' })
    expect(await reminders(user, task)).toMatchObject([
      { remind_at: '2026-03-02T07:10:00.000Z', next_fire_at: null },
    ])
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: NOON })
    expect(await reminders(user, task)).toMatchObject([{ next_fire_at: '2026-03-02T11:00:00.000Z' }])
  })

  it('that was made before the user wanted to be told is left alone until its due time changes', async () => {
    const user = newUser()
    await prefer(user, null)
    const task = await user.create({ due_at: NOON })
    expect(await reminders(user, task)).toEqual([])
    await prefer(user, 30)
    await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Pay the rent' })
    expect(await reminders(user, task)).toEqual([])
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T13:00:00Z' })
    expect(await reminders(user, task)).toMatchObject([{ remind_at: '2026-03-02T12:30:00.000Z' }])
    await prefer(user, 10)
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: NOON })
    expect(await reminders(user, task)).toMatchObject([{ offset_minutes: 30 }])
  })

  it.each(['complete', 'delete'])('has it again when it is opened again after %s', async (closing) => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const close = () =>
      closing === 'delete'
        ? user.does('DELETE', `/api/tasks/${task.id}`)
        : user.does('POST', `/api/tasks/${task.id}/complete`)
    // Closed before anybody heard of it, it gets none until it is open.
    await close()
    await service.deliver()
    expect(await rows(task)).toEqual([])
    const open = () =>
      user.does('POST', `/api/tasks/${task.id}/${closing === 'delete' ? 'restore' : 'reopen'}`)
    await open()
    expect(await reminders(user, task)).toMatchObject([{ status: 'scheduled' }])
    await close()
    await service.deliver()
    await open()
    expect(await reminders(user, task)).toMatchObject([{ status: 'scheduled' }])
    expect(await rows(task)).toHaveLength(1)
  })
})

describe('the default reminder', () => {
  it('can be told from others, and changed', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON, remind_at: NINE })
    await user.does('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 30 })
    const found = await reminders(user, task)
    expect(found.map(({ origin }) => origin)).toEqual(['task', 'default', 'user'])
    const id = found[1]!.id
    await user.does('PATCH', `/api/reminders/${id}`, { offset_minutes: 120, channels: null })
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T14:00:00Z' })
    expect((await reminders(user, task)).find((one) => one.id === id)).toMatchObject({
      origin: 'default',
      offset_minutes: 120,
      channels: null,
      remind_at: '2026-03-02T12:00:00.000Z',
    })
  })

  it('does not come again when the user has removed it, whatever becomes of the task', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const [{ id }] = (await reminders(user, task)) as [ReminderView]
    await user.does('DELETE', `/api/reminders/${id}`)
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T14:00:00Z' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await user.does('POST', `/api/tasks/${task.id}/reopen`)
    expect(await reminders(user, task)).toEqual([])
    expect(await rows(task)).toMatchObject([{ fire_at: null }])
  })

  it('goes on with the series, removed as changed', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON, recurrence_rule: 'daily' })
    const [first] = (await reminders(user, task)) as [ReminderView]
    await user.does('PATCH', `/api/reminders/${first.id}`, { offset_minutes: 20 })
    const second = (await next(user, task.id))!
    const [carried] = (await reminders(user, second)) as [ReminderView]
    expect(carried).toMatchObject({ origin: 'default', remind_at: '2026-03-03T11:40:00.000Z' })
    await user.does('DELETE', `/api/reminders/${carried.id}`)
    const third = (await next(user, second.id))!
    expect(await reminders(user, third)).toEqual([])
    await user.does('PATCH', `/api/tasks/${third.id}`, { due_at: '2026-03-04T15:00:00Z' })
    expect(await reminders(user, third)).toEqual([])
    expect(await rows((await next(user, third.id))!)).toMatchObject([{ deleted_at: expect.any(Date) }])
  })

  it('begins with the next occurrence where this one was too near, and does not ring at once for one that is', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T08:30:00Z', recurrence_rule: 'daily' })
    expect(await reminders(user, task)).toEqual([])
    const second = (await next(user, task.id, '2026-03-02T08:20:00Z'))!
    expect(await reminders(user, second)).toMatchObject([{ remind_at: '2026-03-03T07:30:00.000Z' }])
    const third = (await next(user, second.id, '2026-03-04T08:00:00Z'))!
    expect(third.due_at).toBe('2026-03-04T08:30:00.000Z')
    expect(await reminders(user, third)).toMatchObject([{ offset_minutes: 60, next_fire_at: null }])
    await tick()
    expect(await notifications(user)).toEqual([])
  })

  it('goes to copies of subtasks as it was, and to each once', async () => {
    const user = newUser()
    const parent = await user.create({ due_at: NOON, recurrence_rule: 'daily' })
    const [kept, dropped] = [
      await user.create({ title: 'kept', parent_id: parent.id, due_at: NOON }),
      await user.create({ title: 'dropped', parent_id: parent.id, due_at: NOON }),
    ]
    const [{ id }] = (await reminders(user, dropped)) as [ReminderView]
    await user.does('DELETE', `/api/reminders/${id}`)
    await next(user, parent.id)
    await service.deliver()
    const found = await sql<{ title: string; is_removed: boolean }[]>`
      select t.title, r.deleted_at is not null as is_removed from reminders r join tasks t on t.id = r.task_id
      where t.user_id = ${user.id} and t.id not in (${parent.id}, ${kept.id}, ${dropped.id}) order by t.title`
    expect(found).toEqual([
      { title: 'Pay rent', is_removed: false },
      { title: 'dropped', is_removed: true },
      { title: 'kept', is_removed: false },
    ])
  })

  it('tells once where another has the same time by then', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    await reminders(user, task)
    await user.does('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 60, channels: ['in_app'] })
    await user.does('POST', `/api/tasks/${task.id}/reminders`, { remind_at: '2026-03-02T11:00:00Z' })
    await tickAt('11:00:00')
    expect((await notifications(user)).filter(({ seq }) => seq !== null)).toHaveLength(1)
  })

  it('is acknowledged and repeats as others do', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON, priority: 'high' })
    const [{ id }] = (await reminders(user, task)) as [ReminderView]
    await tickAt('11:00:00')
    await tickAt('11:10:00')
    await user.does('POST', `/api/reminders/${id}/acknowledge`)
    await tickAt('11:20:00')
    expect(await notifications(user)).toHaveLength(2)
  })

  it('counts for no limit of what a user may set', async () => {
    const { quotas } = deps.settings
    deps.settings.quotas = { ...quotas, openReminders: 3, remindersPerMinute: 2 }
    try {
      const user = newUser()
      const tasks: TaskView[] = []
      for (let n = 0; n < 5; n += 1) tasks.push(await user.create({ due_at: NOON }))
      await service.deliver()
      const add = (task: TaskView, remind_at: string) =>
        user.send('POST', `/api/tasks/${task.id}/reminders`, { remind_at })
      expect((await add(tasks[0]!, '2026-03-02T11:00:10Z')).status).toBe(201)
      expect((await add(tasks[1]!, '2026-03-02T11:00:20Z')).status).toBe(201)
      expect((await add(tasks[2]!, '2026-03-02T11:00:30Z')).status).toBe(409)
      expect((await add(tasks[2]!, '2026-03-02T11:05:00Z')).status).toBe(201)
      expect((await add(tasks[3]!, '2026-03-02T11:06:00Z')).status).toBe(409)
      // Both limits are reached, and default reminders move with their tasks all the same.
      for (const task of tasks.slice(3)) {
        await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T12:00:30Z' })
      }
      const due =
        await sql`select 1 from reminders where user_id = ${user.id} and origin = 'default' and fire_at is not null`
      expect(due).toHaveLength(5)
    } finally {
      deps.settings.quotas = quotas
    }
  })

  it('leaves room for as many of a task as a user may set', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    await service.deliver()
    const statuses: number[] = []
    for (let n = 1; n <= MAX_REMINDERS + 1; n += 1) {
      const body = { offset_minutes: n }
      statuses.push((await user.send('POST', `/api/tasks/${task.id}/reminders`, body)).status)
    }
    expect(statuses).toEqual([...Array.from({ length: MAX_REMINDERS }, () => 201), 409])
  })
})

describe('add-default-reminder', () => {
  it.each([
    ['again and again', (send: () => Promise<unknown>) => [send(), send(), send()]],
    ['twenty times at once', (send: () => Promise<unknown>) => Array.from({ length: 20 }, send)],
  ])('makes one when the event comes %s', async (_, times) => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const message = await takeOne(service, 'task.created')
    for (const answer of await Promise.all(times(() => deliver(service, message)))) {
      expect(answer).toEqual(SUCCESS)
    }
    expect(await rows(task)).toHaveLength(1)
  })

  it('makes one when different events come at once, in any order', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T13:00:00Z' })
    for (const minute of [10, 20, 30, 40]) {
      await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: `2026-03-02T12:${minute}:00Z` })
      await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: NOON })
    }
    const messages = (await takeMessages(service)).filter(({ type }) => type.startsWith('task.'))
    const answers = await Promise.all(messages.toReversed().map((message) => deliver(service, message)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(SUCCESS)]),
    )
    expect(await rows(task)).toMatchObject([{ origin: 'default', fire_at: new Date('2026-03-02T11:00:00Z') }])
  })

  it('does not bring back what is removed while the event is on its way a second time', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const message = await takeOne(service, 'task.created')
    await deliver(service, message)
    const [{ id }] = (await reminders(user, task)) as [ReminderView]
    await user.does('DELETE', `/api/reminders/${id}`)
    expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await reminders(user, task)).toEqual([])
  })

  it('makes up for its being late, but not for what is over', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const message = await takeOne(service, 'task.created')
    at('2026-03-02T11:30:00Z')
    expect(await deliver(service, message)).toEqual(SUCCESS)
    await tick()
    expect(await notifications(user)).toHaveLength(1)
    expect(await rows(task)).toHaveLength(1)

    const other = await user.create({ due_at: '2026-03-02T15:00:00Z' })
    const later = await takeOne(service, 'task.created')
    at('2026-03-02T15:00:00Z')
    expect(await deliver(service, later)).toEqual(SUCCESS)
    expect(await rows(other)).toEqual([])
  })

  it('leaves a task that has moved since to the event of its move', async () => {
    const user = newUser()
    const task = await user.create({ due_at: NOON })
    const message = await takeOne(service, 'task.created')
    at('2026-03-02T08:30:00Z')
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T09:20:00Z' })
    expect(await deliver(service, message)).toEqual(SUCCESS)
    await service.deliver()
    expect(await rows(task)).toEqual([])
  })

  it('asks nothing of the database for what cannot get one', async () => {
    const user = newUser()
    const task = await user.create({ due_date: '2026-03-04' })
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: '2026-03-02T08:00:00Z' })
    await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Pay the rent' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    await user.does('PATCH', `/api/tasks/${task.id}`, { due_at: NOON })
    const away = over({ defaultReminderMinutes: () => Promise.reject(new Error('asked')) })
    const messages = await takeMessages(service)
    expect(messages).toHaveLength(5)
    for (const message of messages) expect(await deliver(away, message)).toEqual(SUCCESS)
  })

  it('loses nothing when it is cut off at any step', async () => {
    const user = newUser()
    for (const step of ['loadTask', 'defaultReminderMinutes', 'commit'] as const) {
      for (const when of ['before', 'after'] as const) {
        const task = await user.create({ due_at: NOON })
        const message = await takeOne(service, 'task.created')
        const broken = over({
          [step]: async (...args: never[]) => {
            if (when === 'after')
              await (deps.changes[step] as (...given: never[]) => Promise<unknown>)(...args)
            throw new Error('cut off')
          },
        })
        expect(await deliver(broken, message)).toEqual({ status: 'RETRY' })
        expect(await deliver(service, message)).toEqual(SUCCESS)
        expect(await rows(task)).toHaveLength(1)
      }
    }
  })
})
