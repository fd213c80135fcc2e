import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { deliver, takeMessages } from '../../testing/builders/messages.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['recurrence/sweep-series', 'reminders/add-reminder'])
const { newUser, sql } = service

/** Titles of what lies below a task that is not deleted, in the user's order, each with its own below it; completed ones in brackets. */
async function tree(id: string): Promise<unknown[]> {
  const rows = await sql<{ id: string; title: string; is_open: boolean }[]>`
    select id, title, is_open from tasks where parent_id = ${id} and deleted_at is null order by position, id`
  const nodes = rows.map(async (row) => {
    const below = await tree(row.id)
    const title = row.is_open ? row.title : `(${row.title})`
    return below.length > 0 ? [title, below] : title
  })
  return Promise.all(nodes)
}

const childOf = async (id: string, title: string): Promise<TaskView> => {
  const [row] = await sql<TaskView[]>`
    select id, due_at, due_date, remind_at from tasks where parent_id = ${id} and title = ${title} and deleted_at is null`
  return row!
}

const post = (user: Client, { id }: { id: string }, step: string) =>
  user.does('POST', `/api/tasks/${id}/${step}`)
const remove = (user: Client, { id }: { id: string }) => user.send('DELETE', `/api/tasks/${id}`)
const below = (user: Client, parent: { id: string }, title: string, more: object = {}) =>
  user.create({ parent_id: parent.id, title, ...more })
/** Types of the events since a sequence number, each with the title it is about. */
const since = async (user: Client, seq: number) =>
  (await user.events(seq)).map(({ type, data }) => `${type} ${data.task?.title ?? ''}`.trim())
const lastSeq = async (user: Client) => (await user.events()).at(-1)!.seq

/** Every task that is not deleted has a parent that can be read. */
async function orphans(user: Client): Promise<string[]> {
  const rows = await sql<{ title: string }[]>`
    select t.title from tasks t left join tasks p on p.id = t.parent_id
    where t.user_id = ${user.id} and t.deleted_at is null and t.parent_id is not null
      and (p.id is null or p.deleted_at is not null)`
  return rows.map(({ title }) => title)
}

async function trip(user: Client): Promise<{ top: TaskView; packing: TaskView }> {
  const top = await user.create({ title: 'Trip' })
  const packing = await below(user, top, 'Packing')
  await below(user, packing, 'Socks')
  await below(user, packing, 'Passport')
  await below(user, top, 'Tickets')
  return { top, packing }
}
const TRIP = [['Packing', ['Socks', 'Passport']], 'Tickets']

describe('completing a task', () => {
  it('completes what is open below it, and reopening opens what was completed with it', async () => {
    const user = newUser()
    const { top, packing } = await trip(user)
    const socks = await childOf(packing.id, 'Socks')
    service.at('2026-03-02T08:00:01Z')
    await post(user, socks, 'complete')
    service.at('2026-03-02T08:00:02Z')
    const seq = await lastSeq(user)
    await post(user, top, 'complete')
    expect(await tree(top.id)).toEqual([['(Packing)', ['(Socks)', '(Passport)']], '(Tickets)'])
    expect(await since(user, seq)).toEqual([
      'task.completed Trip',
      'task.completed Packing',
      'task.completed Tickets',
      'task.completed Passport',
    ])
    service.at('2026-03-02T08:00:03Z')
    await post(user, top, 'reopen')
    expect(await tree(top.id)).toEqual([['Packing', ['(Socks)', 'Passport']], 'Tickets'])
  })

  it('leaves them open when asked to', async () => {
    const user = newUser()
    const { top } = await trip(user)
    await user.does('POST', `/api/tasks/${top.id}/complete?subtasks=keep`)
    expect(await tree(top.id)).toEqual(TRIP)
    const got = await user.send('POST', `/api/tasks/${top.id}/complete?subtasks=forget`)
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'subtasks' }] } })
  })

  it('takes their reminders back, once however often it is asked', async () => {
    const user = newUser()
    const top = await user.create()
    const child = await below(user, top, 'Call', { due_at: '2026-03-03T09:00:00Z' })
    await user.does('POST', `/api/tasks/${child.id}/reminders`, { offset_minutes: 10 })
    const once = { 'idempotency-key': 'done' }
    for (let time = 1; time <= 2; time += 1)
      await user.does('POST', `/api/tasks/${top.id}/complete`, undefined, once)
    const types = (await user.events()).map(({ type }) => type)
    expect(types.filter((type) => type === 'reminder.cancelled')).toHaveLength(1)
    expect(types.filter((type) => type === 'task.completed')).toHaveLength(2)
  })

  it('ends subtasks that repeat by themselves, also one whose next occurrence is still to be made', async () => {
    const user = newUser()
    const top = await user.create()
    const rule = { recurrence_rule: 'daily', due_at: '2026-03-02T09:00:00Z' }
    const weekly = await below(user, top, 'Review', rule)
    const waiting = await below(user, top, 'Report', rule)
    await post(user, waiting, 'complete')
    const seq = await lastSeq(user)
    service.at('2026-03-02T08:00:05Z')
    await post(user, top, 'complete')
    await service.deliver()
    expect((await since(user, seq)).filter((line) => line.startsWith('task.occurrence'))).toEqual([])
    expect(await tree(top.id)).toEqual(['(Review)', '(Report)'])
    service.at('2026-03-02T08:00:06Z')
    await post(user, top, 'reopen')
    await service.deliver()
    expect(await tree(top.id)).toEqual(['Review', '(Report)', 'Report'])
    const next = await service.next(user, weekly.id)
    expect(next).toMatchObject({ title: 'Review', parent_id: top.id })
  })
})

describe('deleting a task', () => {
  it('takes along what lies below it; restoring brings back that and nothing deleted before', async () => {
    const user = newUser()
    const { top, packing } = await trip(user)
    const socks = await childOf(packing.id, 'Socks')
    service.at('2026-03-02T08:00:01Z')
    await remove(user, socks)
    service.at('2026-03-02T08:00:02Z')
    const seq = await lastSeq(user)
    expect((await remove(user, top)).status).toBe(204)
    expect(await since(user, seq)).toEqual([
      'task.deleted Passport',
      'task.deleted Tickets',
      'task.deleted Packing',
      'task.deleted Trip',
    ])
    expect(await tree(top.id)).toEqual([])
    expect((await user.send('PATCH', `/api/tasks/${packing.id}`, { title: 'x' })).status).toBe(404)
    service.at('2026-03-02T08:00:03Z')
    await post(user, top, 'restore')
    expect(await tree(top.id)).toEqual([['Packing', ['Passport']], 'Tickets'])
    await post(user, socks, 'restore')
    expect(await tree(top.id)).toEqual(TRIP)
  })

  it('leaves no child below a deleted parent, whoever writes at the same time', async () => {
    const user = newUser()
    for (let round = 0; round < 10; round += 1) {
      const { top, packing } = await trip(user)
      const free = await user.create({ title: 'Free' })
      const [, made, moved, restored] = await Promise.all([
        remove(user, top),
        user.send('POST', '/api/tasks', { title: 'Late', parent_id: packing.id }),
        user.send('PATCH', `/api/tasks/${free.id}`, { parent_id: packing.id }),
        user.send('POST', `/api/tasks/${top.id}/restore`),
      ])
      expect([201, 422]).toContain(made.status)
      expect([200, 422]).toContain(moved.status)
      expect([200, 404]).toContain(restored.status)
      expect(await orphans(user)).toEqual([])
    }
  })

  it('restores a child whose parent is still deleted as a task below none', async () => {
    const user = newUser()
    const { top, packing } = await trip(user)
    await remove(user, top)
    expect(await post(user, packing, 'restore')).toMatchObject({ parent_id: null })
    expect(await tree(packing.id)).toEqual(['Socks', 'Passport'])
    await post(user, top, 'restore')
    expect(await tree(top.id)).toEqual(['Tickets'])
    expect(await orphans(user)).toEqual([])
  })

  it('ends and restores the series below it', async () => {
    const user = newUser()
    const top = await user.create()
    const rule = { recurrence_rule: 'daily', due_at: '2026-03-02T09:00:00Z' }
    const child = await below(user, top, 'Review', rule)
    const second = (await service.next(user, child.id))!
    await remove(user, top)
    await service.deliver()
    expect(await orphans(user)).toEqual([])
    service.at('2026-03-02T10:00:00Z')
    await post(user, top, 'restore')
    expect(await tree(top.id)).toEqual(['(Review)', 'Review'])
    expect(await service.next(user, second.id)).toMatchObject({ parent_id: top.id })
  })

  it.each([
    ['deleted', 'restore', remove],
    ['completed', 'reopen', (user: Client, top: TaskView) => post(user, top, 'complete')],
  ] as const)('goes on with a series that was waiting when it was %s', async (_, undo, close) => {
    const user = newUser()
    const top = await user.create()
    const packing = await below(user, top, 'Packing')
    const rule = { recurrence_rule: 'daily', due_at: '2026-03-02T09:00:00Z' }
    const child = await below(user, packing, 'Review', rule)
    const other = await below(user, top, 'Live', rule)
    await post(user, child, 'complete')
    service.at('2026-03-02T08:30:00Z')
    await close(user, top)
    await service.deliver()
    expect(await states(user)).toEqual({ Live: 'ended', Review: 'ended' })
    service.at('2026-03-02T08:45:00Z')
    await post(user, top, undo)
    const seq = await lastSeq(user)
    await service.deliver()
    expect(await since(user, seq)).toEqual(['task.occurrence.generated Review'])
    expect(await tree(top.id)).toEqual([['Packing', ['(Review)', 'Review']], 'Live'])
    expect(await states(user)).toEqual({ Live: 'active', Review: 'active' })
    const made = (await user.events(seq))[0]!.data.task
    expect(made).toMatchObject({ parent_id: packing.id, due_at: '2026-03-03T09:00:00.000Z' })
    expect(await service.next(user, other.id)).toMatchObject({ due_at: '2026-03-03T09:00:00.000Z' })
  })

  it('leaves a series alone that had ended before', async () => {
    const user = newUser()
    const top = await user.create()
    const rule = { recurrence_rule: 'FREQ=DAILY;COUNT=1', due_at: '2026-03-02T09:00:00Z' }
    const child = await below(user, top, 'Once', rule)
    await service.next(user, child.id)
    service.at('2026-03-02T08:30:00Z')
    await remove(user, top)
    await post(user, top, 'restore')
    await service.deliver()
    expect(await states(user)).toEqual({ Once: 'ended' })
  })

  it('is refused when there is more below than one request may write', async () => {
    const user = newUser()
    const top = await user.create()
    await sql`
      insert into tasks (id, user_id, title, priority, tags, tag_keys, due_order, time_zone, parent_id, position,
        recurrence_rule, completed_at, repeat_from, version, created_at, updated_at, deleted_at, words)
      select gen_random_uuid(), ${user.id}, 'old', 1, '{}', '{}', now(), 'UTC', ${top.id}, n, 'FREQ=DAILY', now(), 'due',
        1, now(), now(), null, '' from generate_series(1, 1001) n`
    const refused = await remove(user, top)
    const added = await user.send('POST', '/api/tasks', { title: 'One more', parent_id: top.id })
    await sql`delete from tasks where parent_id = ${top.id} and title = 'old'`
    expect(refused).toMatchObject({ status: 409, problem: { code: 'quota.exceeded' } })
    expect(added.status).toBe(201)
  })
})

/** Of each series of a user, by title. */
async function states(user: Client) {
  const rows = await sql<{ title: string; state: string }[]>`
    select template ->> 'title' as title, state from series where user_id = ${user.id}`
  return Object.fromEntries(rows.map(({ title, state }) => [title, state]))
}

/** Every Monday at nine; below it two levels, one of them done already. */
async function weekly(user: Client): Promise<TaskView> {
  const top = await user.create({
    title: 'Clean',
    due_at: '2026-03-02T09:00:00Z',
    recurrence_rule: 'weekly',
  })
  const kitchen = await below(user, top, 'Kitchen', { due_at: '2026-03-02T10:00:00Z', tags: ['home'] })
  const oven = await below(user, kitchen, 'Oven', { due_date: '2026-03-03', description: 'inside too' })
  await below(user, kitchen, 'Floor', { remind_at: '2026-03-02T10:30:00Z' })
  await below(user, top, 'Bath', { priority: 'high' })
  await user.does('POST', `/api/tasks/${kitchen.id}/reminders`, { offset_minutes: 15 })
  await post(user, oven, 'complete')
  return top
}
const FRESH = [['Kitchen', ['Oven', 'Floor']], 'Bath']

describe('the next occurrence', () => {
  it('has fresh open copies of the subtree, in order, moved as far as itself', async () => {
    const user = newUser()
    const top = await weekly(user)
    service.at('2026-03-02T08:30:00Z')
    const next = (await service.next(user, top.id))!
    expect(await tree(top.id)).toEqual([['(Kitchen)', ['(Oven)', '(Floor)']], '(Bath)'])
    expect(await tree(next.id)).toEqual(FRESH)
    const kitchen = await childOf(next.id, 'Kitchen')
    expect(kitchen.due_at).toEqual(new Date('2026-03-09T10:00:00Z'))
    expect((await childOf(kitchen.id, 'Oven')).due_date).toBe('2026-03-10')
    expect((await childOf(kitchen.id, 'Floor')).remind_at).toEqual(new Date('2026-03-09T10:30:00Z'))
    const reminders = await sql`
      select t.title, r.origin, r.offset_minutes, r.fire_at from reminders r join tasks t on t.id = r.task_id
      where t.user_id = ${user.id} and r.fire_at is not null order by r.fire_at`
    expect(reminders).toEqual([
      { title: 'Kitchen', origin: 'user', offset_minutes: 15, fire_at: new Date('2026-03-09T09:45:00Z') },
      { title: 'Floor', origin: 'task', offset_minutes: null, fire_at: new Date('2026-03-09T10:30:00Z') },
    ])
    const [bath] = await sql`
      select priority, version, series_id from tasks where title = 'Bath' and parent_id = ${next.id}`
    expect(bath).toEqual({ priority: 2, version: 1, series_id: null })
  })

  it('has them once, when its message is delivered twenty times and the sweep meets it', async () => {
    const user = newUser()
    const top = await weekly(user)
    await takeMessages(service)
    await post(user, top, 'complete')
    const messages = (await takeMessages(service)).filter(({ type }) => type === 'task.completed')
    const attempts = messages.flatMap((message) =>
      Array.from({ length: 20 }, () => deliver(service, message)),
    )
    await Promise.all(attempts)
    for (const message of messages) await deliver(service, message)
    const made = (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
    expect(made).toHaveLength(1)
    expect(await tree(made[0]!.data.task.id)).toEqual(FRESH)
  })

  it('keeps the time of day of subtasks over a change of the clocks, week after week', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const top = await user.create({ due_at: '2026-03-15T01:30:00Z', recurrence_rule: 'weekly' })
    await below(user, top, 'At two', { due_at: '2026-03-15T13:00:00Z' })
    let id = top.id
    const times: unknown[] = []
    for (const day of ['15', '22', '29']) {
      const next = (await service.next(user, id, `2026-03-${day}T00:10:00Z`))!
      times.push((await childOf(next.id, 'At two')).due_at)
      id = next.id
    }
    // Half past two does not exist on the 29th.
    expect(times).toEqual(
      ['2026-03-22T13:00:00Z', '2026-03-29T12:00:00Z', '2026-04-05T12:00:00Z'].map((time) => new Date(time)),
    )
  })

  it('makes way with its copies when the last one is opened again, and comes again with as many', async () => {
    const user = newUser()
    const top = await weekly(user)
    const next = (await service.next(user, top.id, '2026-03-02T08:30:00Z'))!
    service.at('2026-03-02T08:31:00Z')
    await post(user, top, 'reopen')
    expect(await tree(next.id)).toEqual([])
    expect(await tree(top.id)).toEqual([['Kitchen', ['(Oven)', 'Floor']], 'Bath'])
    service.at('2026-03-02T08:32:00Z')
    const again = (await service.next(user, top.id))!
    expect(await tree(again.id)).toEqual(FRESH)
    expect(await orphans(user)).toEqual([])
  })

  it('has the subtasks of one that is skipped, which go with it and come back with it', async () => {
    const user = newUser()
    const top = await weekly(user)
    service.at('2026-03-02T08:30:00Z')
    await post(user, top, 'skip')
    expect(await tree(top.id)).toEqual([])
    await service.deliver()
    const [made] = (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
    expect(await tree(made!.data.task.id)).toEqual(FRESH)
    expect((await post(user, top, 'restore')).is_recurring).toBe(true)
    expect(await tree(top.id)).toEqual([['Kitchen', ['(Oven)', 'Floor']], 'Bath'])
    expect(await tree(made!.data.task.id)).toEqual([])
    expect(await orphans(user)).toEqual([])
  })

  it('stays beside one that is restored after a skip when one of its subtasks has been done', async () => {
    const user = newUser()
    const top = await weekly(user)
    service.at('2026-03-02T08:30:00Z')
    await post(user, top, 'skip')
    await service.deliver()
    const [made] = (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
    await post(user, await childOf(made!.data.task.id, 'Bath'), 'complete')
    expect((await post(user, top, 'restore')).is_recurring).toBe(false)
    expect(await tree(made!.data.task.id)).toEqual([['Kitchen', ['Oven', 'Floor']], '(Bath)'])
  })

  it('of several a day has due times of subtasks as many hours later', async () => {
    const user = newUser()
    const rule = { recurrence_rule: 'FREQ=DAILY;BYHOUR=9,21', due_at: '2026-03-02T09:00:00Z' }
    const top = await user.create(rule)
    await below(user, top, 'Pill', { due_at: '2026-03-02T09:30:00Z' })
    const next = (await service.next(user, top.id))!
    expect((await childOf(next.id, 'Pill')).due_at).toEqual(new Date('2026-03-02T21:30:00Z'))
    const third = (await service.next(user, next.id))!
    expect((await childOf(third.id, 'Pill')).due_at).toEqual(new Date('2026-03-03T09:30:00Z'))
  })

  it.each([
    [
      'a copy is completed',
      (user: Client, _next: TaskView, child: TaskView) => post(user, child, 'complete'),
    ],
    ['a subtask is added', (user: Client, next: TaskView) => below(user, next, 'Windows')],
  ])('stays when %s before the last one is opened again', async (_what, change) => {
    const user = newUser()
    const top = await weekly(user)
    const next = (await service.next(user, top.id))!
    service.at('2026-03-02T08:31:00Z')
    await change(user, next, await childOf(next.id, 'Bath'))
    const got = await user.send('POST', `/api/tasks/${top.id}/reopen`)
    expect(got).toMatchObject({ status: 409, problem: { code: 'task.successor_exists' } })
  })

  it('lies below none when its parent has been deleted without it', async () => {
    const user = newUser()
    const top = await user.create()
    const rule = { recurrence_rule: 'daily', due_at: '2026-03-02T09:00:00Z' }
    const child = await below(user, top, 'Review', rule)
    // This one only: those to come stay below.
    await user.does('PATCH', `/api/tasks/${child.id}?scope=this`, { parent_id: null })
    await remove(user, top)
    expect(await service.next(user, child.id)).toMatchObject({ parent_id: null })
  })

  it('has its subtasks as they are, whatever an edit of those to come says of the occurrence', async () => {
    const user = newUser()
    const top = await weekly(user)
    const edit = { title: 'Clean all', due_at: '2026-03-02T12:00:00Z' }
    await user.does('PATCH', `/api/tasks/${top.id}?scope=future`, edit)
    const next = (await service.next(user, top.id))!
    expect(next).toMatchObject({ title: 'Clean all', due_at: '2026-03-09T12:00:00.000Z' })
    expect(await tree(next.id)).toEqual(FRESH)
    expect((await childOf(next.id, 'Kitchen')).due_at).toEqual(new Date('2026-03-09T10:00:00Z'))
  })
})

describe('a place below another task', () => {
  it('has five levels at most, for a new task and for one that brings its own', async () => {
    const user = newUser()
    const line = [await user.create()]
    for (let level = 1; level <= 5; level += 1) line.push(await below(user, line.at(-1)!, `level ${level}`))
    const deeper = await user.send('POST', '/api/tasks', { title: 'x', parent_id: line[5]!.id })
    expect(deeper).toMatchObject({ status: 422, problem: { errors: [{ path: 'parent_id' }] } })
    const other = await user.create()
    await below(user, other, 'one level')
    const move = (parent: TaskView) => user.send('PATCH', `/api/tasks/${other.id}`, { parent_id: parent.id })
    expect(await move(line[4]!)).toMatchObject({ status: 422, problem: { errors: [{ path: 'parent_id' }] } })
    expect((await move(line[3]!)).status).toBe(200)
  })

  it('is one of a hundred, also when many ask at once', async () => {
    const user = newUser()
    const top = await user.create()
    const child = await below(user, top, 'first')
    for (let n = 2; n <= 95; n += 1) await below(user, n % 2 ? top : child, `n ${n}`)
    const asked = Array.from({ length: 10 }, () =>
      user.send('POST', '/api/tasks', { title: 'one more', parent_id: child.id }),
    )
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(5)
    expect(statuses.filter((status) => status === 422)).toHaveLength(5)
    // A move within the same tree takes no more room.
    const moved = await user.send('PATCH', `/api/tasks/${child.id}`, { parent_id: null })
    expect(moved.status).toBe(200)
    expect((await user.send('PATCH', `/api/tasks/${child.id}`, { parent_id: top.id })).status).toBe(200)
    const seq = await lastSeq(user)
    await post(user, top, 'complete')
    expect(await since(user, seq)).toHaveLength(101)
  })

  it('is not for a task that repeats by itself where the one above repeats', async () => {
    const user = newUser()
    const rule = { recurrence_rule: 'daily', due_at: '2026-03-02T09:00:00Z' }
    const top = await user.create(rule)
    const path = (got: { status: number; problem: { errors?: { path: string }[] } }) => [
      got.status,
      got.problem.errors?.[0]?.path,
    ]
    const send = (method: string, at: string, body: object) => user.send(method, `/api/tasks${at}`, body)
    expect(path(await send('POST', '', { title: 'x', parent_id: top.id, ...rule }))).toEqual([
      422,
      'parent_id',
    ])
    const child = await below(user, top, 'plain', { due_at: '2026-03-02T09:00:00Z' })
    expect(path(await send('PATCH', `/${child.id}`, { recurrence_rule: 'daily' }))).toEqual([
      422,
      'recurrence_rule',
    ])
    const plain = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    await below(user, plain, 'daily', rule)
    expect(path(await send('PATCH', `/${plain.id}`, { recurrence_rule: 'daily' }))).toEqual([
      422,
      'recurrence_rule',
    ])
    expect(path(await send('PATCH', `/${plain.id}`, { parent_id: top.id }))).toEqual([422, 'parent_id'])
  })
})
