import { describe, expect, it } from 'vitest'
import { weeklySeries } from '../../testing/builders/weekly-series.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next, sql } = service
const { begin, edit } = weeklySeries(service)

describe('PATCH of one, later or all occurrences', () => {
  it('this: changes one occurrence, the next is as before', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', {
      title: 'Water all plants',
      due_at: '2026-03-03T18:00:00Z',
    })
    expect(edited).toMatchObject({
      title: 'Water all plants',
      due_at: '2026-03-03T18:00:00.000Z',
      occurrence_at: task.occurrence_at,
    })
    expect((await user.events()).map(({ type }) => type)).toEqual(['task.created', 'task.updated'])
    expect(await next(user, task.id)).toMatchObject({
      title: 'Water plants',
      due_at: '2026-03-09T08:00:00.000Z',
    })
  })

  it('future: changes this occurrence and those to come', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'future', { title: 'Water all plants', tags: ['green'], priority: 'high' })
    const events = await user.events()
    expect(events.map(({ type }) => type)).toEqual(['task.created', 'task.updated', 'series.updated'])
    expect(events[2]).toMatchObject({
      subject: `series/${task.series_id}`,
      data: { series: { title: 'Water all plants', version: 2 } },
    })
    expect(await next(user, task.id)).toMatchObject({
      title: 'Water all plants',
      tags: ['green'],
      priority: 'high',
      due_at: '2026-03-09T08:00:00.000Z',
    })
  })

  it('future: gives the series what this occurrence alone had before', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'this', { title: 'Water all plants' })
    const again = await edit(user, task.id, 'future', { title: 'Water all plants' })
    expect(again.version).toBe(3)
    expect(await next(user, task.id)).toMatchObject({ title: 'Water all plants' })
  })

  /** A series whose first so many occurrences are open again, one is completed, and the next is the live one. */
  async function opened(user: Client, count: number) {
    const ids = [(await begin(user)).id]
    while (ids.length < count + 2) ids.push((await next(user, ids.at(-1)!))!.id)
    const again = ids.slice(0, count)
    for (const id of again) await user.does('POST', `/api/tasks/${id}/reopen`)
    return { again, completed: ids.at(-2)!, live: ids.at(-1)! }
  }

  it('all: rewrites the content of the other open occurrences, not their times; completed ones are history', async () => {
    const user = newUser()
    const { again, completed, live } = await opened(user, 2)
    const seen = (await user.events()).at(-1)!.seq
    const body = { title: 'Water all plants', due_at: '2026-03-23T10:00:00+01:00' }
    const { series_id } = await edit(user, live, 'all', body)
    const events = await user.events(seen)
    expect(events.map(({ type, subject }) => [type, subject])).toEqual([
      ['task.updated', `task/${live}`],
      ['series.updated', `series/${series_id}`],
      ['task.updated', `task/${again[1]}`],
      ['task.updated', `task/${again[0]}`],
    ])
    expect(events.slice(2).map(({ data }) => data.changes)).toEqual([
      { title: { old: 'Water plants', new: 'Water all plants' } },
      { title: { old: 'Water plants', new: 'Water all plants' } },
    ])
    expect(await sql`select title, version from tasks where id = ${completed}`).toEqual([
      { title: 'Water plants', version: 2 },
    ])
  })

  it('all: writes 102 events at most; a series with more open tasks is refused, and the number said', async () => {
    const user = newUser()
    const { live } = await opened(user, 100)
    const seen = (await user.events()).at(-1)!.seq
    await edit(user, live, 'all', { title: 'Water all plants' })
    expect(await user.events(seen)).toHaveLength(102)
    const second = newUser()
    const { live: tooMany } = await opened(second, 101)
    const before = await second.events()
    const got = await second.send('PATCH', `/api/tasks/${tooMany}?scope=all`, { title: 'x' })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'scope' }] } })
    expect(got.problem.detail).toContain('100')
    expect(await second.events()).toEqual(before)
  }, 60_000)

  it('all: never puts an earlier occurrence below itself', async () => {
    const user = newUser()
    const { again, live } = await opened(user, 1)
    expect(await edit(user, live, 'all', { parent_id: again[0] })).toMatchObject({ parent_id: again[0] })
    const [row] = await sql`select parent_id from tasks where id = ${again[0]!}`
    expect(row).toEqual({ parent_id: null })
  })
})
