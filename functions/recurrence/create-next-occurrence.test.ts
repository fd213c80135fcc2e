import { describe, expect, it } from 'vitest'
import type { ChangeStore } from '../../shared/app/ports.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'
import createNextOccurrence from './create-next-occurrence.ts'
import { deliver, takeMessages, takeOne } from '../../testing/builders/messages.ts'

const service = await taskService(['recurrence/sweep-series'])
const { newUser, app, deps, sql } = service

const TOKEN = { 'dapr-api-token': deps.settings.appToken }
const SUCCESS = { status: 'SUCCESS' }

/** A task of every day at nine, due on the second of March; it is that day, eight o'clock. */
async function daily(user: Client): Promise<TaskView> {
  service.at('2026-03-02T08:00:00Z')
  return user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
}

const complete = (user: Client, id: string, headers?: Record<string, string>) =>
  user.does('POST', `/api/tasks/${id}/complete`, undefined, headers)

/** Days of the series' occurrences that were made by events or sweeps, in the order in which they were made. */
const made = async (user: Client) =>
  (await user.events())
    .filter(({ type }) => type === 'task.occurrence.generated')
    .map(({ data }) => data.task.due_date)

/** The consumer alone, over a store that differs. */
function over(change: Partial<ChangeStore>) {
  const other = { ...deps, changes: { ...deps.changes, ...change } }
  return { ...service, app: mountFunctions([createNextOccurrence], other) }
}

const sweep = async () => app.request('/dapr/cron/sweep-series-cron', { method: 'POST', headers: TOKEN })

describe('create-next-occurrence', () => {
  it('makes one next occurrence when task.completed is delivered twenty times at once', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(service, message)))
    expect(answers).toEqual(Array.from({ length: 20 }, () => SUCCESS))
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('makes one next occurrence when task.completed is delivered again and again', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    for (let time = 1; time <= 5; time += 1) expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it.each([
    ['once', 1],
    ['twice at once', 2],
  ])('makes the next occurrences of a batch that comes %s, one for each completion', async (_, times) => {
    const user = newUser()
    const ids: string[] = []
    for (let nth = 0; nth < 12; nth += 1) ids.push((await daily(user)).id)
    // Not in the order in which they were made.
    const order = ids.toSorted((a, b) => (a.slice(-6) < b.slice(-6) ? -1 : 1))
    for (const id of order) await complete(user, id)
    const completions = (await takeMessages(service)).filter(({ type }) => type === 'task.completed')
    const entries = completions.map((event, nth) => ({ entryId: `${nth}`, event }))
    const body = JSON.stringify({ type: 'com.dapr.event.sent.bulk', entries })
    const bring = async () => {
      const answer = await app.request('/dapr/events/task-events', { method: 'POST', headers: TOKEN, body })
      expect(await answer.json()).toEqual({
        statuses: entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' })),
      })
    }
    await Promise.all(Array.from({ length: times }, bring))
    await bring()
    const followed = await sql<{ id: string }[]>`
      select first.task_id as id from events e
      join occurrences next on next.task_id = (e.data -> 'task' ->> 'id')::uuid
      join occurrences first on first.series_id = next.series_id and first.occurrence_at < next.occurrence_at
      where e.user_id = ${user.id} and e.type = 'task.occurrence.generated' order by e.seq`
    const followedIds = followed.map(({ id }) => id)
    // Of two batches at once either may be ahead.
    if (times === 1) expect(followedIds).toEqual(order)
    else expect(followedIds.toSorted()).toEqual(order.toSorted())
  })

  it('makes one when a series has come back with the task it is below, however often that is delivered', async () => {
    const user = newUser()
    const top = await user.create()
    const due = { due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily', parent_id: top.id }
    await complete(user, (await user.create(due)).id)
    service.at('2026-03-02T08:05:00Z')
    await user.does('DELETE', `/api/tasks/${top.id}`)
    await takeMessages(service)
    await user.does('POST', `/api/tasks/${top.id}/restore`)
    const message = await takeOne(service, 'series.updated')
    const answers = await Promise.all(Array.from({ length: 3 }, () => deliver(service, message)))
    expect([...answers, await deliver(service, message)]).toEqual(Array.from({ length: 4 }, () => SUCCESS))
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('makes nothing when the occurrence exists already', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    service.at('2026-03-02T08:05:00Z')
    expect((await sweep()).status).toBe(204)
    expect(await made(user)).toEqual(['2026-03-03'])
    expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('makes one occurrence for each completion when their messages come in the wrong order', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const first = await takeOne(service, 'task.completed')
    service.at('2026-03-02T08:05:00Z')
    await sweep()
    const [second] = (await takeMessages(service)).filter(({ type }) => type === 'task.occurrence.generated')
    await complete(user, second!.subject!.replace('task/', ''))
    const later = await takeOne(service, 'task.completed')
    for (const message of [later, first, later, first]) {
      expect(await deliver(service, message)).toEqual(SUCCESS)
    }
    expect(await made(user)).toEqual(['2026-03-03', '2026-03-04'])
  })

  it('makes one next occurrence when messages and sweeps meet', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    service.at('2026-03-02T08:05:00Z')
    const attempts = Array.from({ length: 20 }, (_, nth) =>
      nth % 2 === 0 ? deliver(service, message) : sweep(),
    )
    await Promise.all(attempts)
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('goes on after a skip as after a completion', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await user.does('POST', `/api/tasks/${id}/skip`)
    const message = await takeOne(service, 'task.occurrence.skipped')
    await Promise.all(Array.from({ length: 5 }, () => deliver(service, message)))
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('makes nothing when the completion was taken back before its message came', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    await user.does('POST', `/api/tasks/${id}/reopen`)
    expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await made(user)).toEqual([])
    await complete(user, id)
    const again = (await takeMessages(service)).find(({ type }) => type === 'task.completed')!
    expect(await deliver(service, again)).toEqual(SUCCESS)
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it.each(['complete', 'skip'])(
    'is not needed when its %s was taken back while clocks disagree',
    async (step) => {
      const user = newUser()
      const { id } = await daily(user)
      const second = await service.next(user, id, '2026-03-02T08:00:01.500Z')
      // A replica whose clock is behind.
      service.at('2026-03-02T08:00:00Z')
      await user.does('POST', `/api/tasks/${second!.id}/${step}`)
      const messages = await takeMessages(service)
      const undone = await user.does(
        'POST',
        `/api/tasks/${second!.id}/${step === 'skip' ? 'restore' : 'reopen'}`,
      )
      expect(undone.is_recurring).toBe(true)
      for (const message of messages) await deliver(service, message)
      expect(await made(user)).toEqual(['2026-03-03'])
    },
  )

  it('counts from its last occurrence, not from an earlier one that was completed by itself in the meantime', async () => {
    const user = newUser()
    service.at('2026-03-02T08:00:00Z')
    const { id } = await user.create({
      due_at: '2026-03-02T09:00:00Z',
      recurrence_rule: 'FREQ=DAILY;INTERVAL=3',
      repeat_from: 'completion',
    })
    const second = await service.next(user, id, '2026-03-02T10:00:00Z')
    const third = await service.next(user, second!.id, '2026-03-05T10:00:00Z')
    await user.does('POST', `/api/tasks/${id}/reopen`)
    service.at('2026-03-08T10:00:00Z')
    await complete(user, third!.id)
    service.at('2026-03-10T10:00:00Z')
    await complete(user, id)
    for (const message of await takeMessages(service)) await deliver(service, message)
    expect(await made(user)).toEqual(['2026-03-05', '2026-03-08', '2026-03-11'])
  })

  it('leaves one-off tasks and users without the series alone', async () => {
    const user = newUser()
    const { id } = await user.create()
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    expect(await deliver(service, message)).toEqual(SUCCESS)
    const task = (message.data as { task: TaskView }).task
    const lost = {
      ...message,
      data: { ...(message.data as object), task: { ...task, series_id: deps.ids.uuid() } },
    }
    expect(await deliver(service, lost)).toEqual(SUCCESS)
    expect(await made(user)).toEqual([])
  })

  it.each(['message', 'sweep'])(
    'goes past all that was completed ahead of time, however much: by %s',
    async (by) => {
      const user = newUser()
      let { id } = await daily(user)
      for (let day = 1; day <= 60; day += 1) id = (await service.next(user, id))!.id
      await user.does('PATCH', `/api/tasks/${id}`, { repeat_from: 'completion' })
      await complete(user, id)
      const message = await takeOne(service, 'task.completed')
      if (by === 'message') expect(await deliver(service, message)).toEqual(SUCCESS)
      service.at('2026-03-02T08:05:00Z')
      expect((await sweep()).status).toBe(204)
      expect((await made(user)).slice(-2)).toEqual(['2026-05-01', '2026-05-02'])
    },
  )

  it('counts from its last step when more than it reads at once lies after that', async () => {
    const user = newUser()
    let { id } = await daily(user)
    for (let day = 1; day <= 60; day += 1) id = (await service.next(user, id))!.id
    const soon = { due_at: '2026-03-02T10:00:00Z', recurrence_rule: 'FREQ=DAILY;INTERVAL=2' }
    await user.does('PATCH', `/api/tasks/${id}?scope=future`, soon)
    const second = await service.next(user, id, '2026-03-02T11:00:00Z')
    expect(second?.due_at).toBe('2026-03-04T10:00:00.000Z')
    const third = await service.next(user, second!.id, '2026-03-04T11:00:00Z')
    expect(third?.due_at).toBe('2026-03-06T10:00:00.000Z')
    await user.does('POST', `/api/tasks/${second!.id}/reopen`)
    expect(await service.next(user, second!.id, '2026-03-04T12:00:00Z')).toMatchObject({
      due_at: third!.due_at,
    })
  })

  it('goes past an instant that is taken although it cannot see by what', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    await sql`insert into occurrences (series_id, occurrence_at, user_id, state, closed_at)
      select series_id, occurrence_at + interval '1 day', user_id, 'missed', now() from occurrences
      where task_id = ${id}`
    const loadWaiting: ChangeStore['loadWaiting'] = async (...asked) => {
      const waiting = await deps.changes.loadWaiting(...asked)
      return waiting && { ...waiting, recent: waiting.recent!.filter(({ state }) => state !== 'missed') }
    }
    expect(await deliver(over({ loadWaiting }), message)).toEqual(SUCCESS)
    expect(await made(user)).toEqual(['2026-03-04'])
  })

  it('asks for the message again when the database fails, and leaves nothing half done', async () => {
    const user = newUser()
    const { id } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    const broken = over({ commit: () => Promise.reject(new Error('connection closed')) })
    expect(await deliver(broken, message)).toEqual({ status: 'RETRY' })
    expect(await made(user)).toEqual([])
    expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await made(user)).toEqual(['2026-03-03'])
  })

  it('ends a series whose stored rule cannot be read, and says why', async () => {
    const user = newUser()
    const { id, series_id: seriesId } = await daily(user)
    await complete(user, id)
    const message = await takeOne(service, 'task.completed')
    await sql`update series set rule = 'FREQ=SECONDLY' where id = ${seriesId}`
    expect(await deliver(service, message)).toEqual(SUCCESS)
    const last = (await user.events()).at(-1)!
    expect(last).toMatchObject({ type: 'recurring.task.error', data: { series_id: seriesId } })
    expect(last.data['reason']).toContain('SECONDLY')
    expect(await deliver(service, message)).toEqual(SUCCESS)
    expect(await sql`select state from series where id = ${seriesId}`).toEqual([{ state: 'ended' }])
  })
})
