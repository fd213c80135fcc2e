import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/task.ts'
import { taskService, type Client } from './testing/task-service.ts'

// After each test the books must balance: sequences without a gap, counters and tags equal to a recount.
const service = await taskService()
const { newUser, sql } = service

const times = <T>(length: number, make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length }, (_, n) => make(n)))
const patch = (user: Client, id: string, body: object) => user.does('PATCH', `/api/tasks/${id}`, body)

describe('100 writers on the list of one user', () => {
  it('lose no update of the same task', async () => {
    const user = newUser()
    const { id } = await user.create()
    // Every fourth of them writes a field of its own last.
    await times(100, (n) =>
      patch(
        user,
        id,
        [
          { title: `title ${n}` },
          { description: `description ${n}` },
          { tags: [`tag ${n}`, 'all'] },
          { due_at: new Date(Date.UTC(2026, 3, 1, 0, n)).toISOString() },
        ][n % 4]!,
      ),
    )
    const events = await user.events()
    expect(events).toHaveLength(101)
    // Each event begins where its predecessor ended.
    const state: Record<string, unknown> = { ...events[0]!.data.task }
    for (const { data } of events.slice(1)) {
      for (const [field, { old, new: now }] of Object.entries(data.changes)) {
        expect(old).toEqual(state[field])
        state[field] = now
      }
      expect({ ...data.task, version: 0, updated_at: '' }).toEqual({ ...state, version: 0, updated_at: '' })
    }
    expect(events.map(({ data }) => data.task.version)).toEqual(events.map((_, n) => n + 1))
  })

  it('may do everything at once: nothing is lost, nobody waits for ever', async () => {
    const user = newUser()
    const tasks = await times(20, (n) => user.create({ title: `${n}`, tags: ['old'] }))
    const series = await times(5, () =>
      user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily', tags: ['daily'] }),
    )
    const one = (n: number): TaskView => tasks[n % tasks.length]!
    const kinds: ((n: number) => Promise<number>)[] = [
      async (n) =>
        (await user.send('POST', '/api/tasks', { title: 'new', tags: ['new', `${n % 3}`] })).status,
      async (n) =>
        (await user.send('PATCH', `/api/tasks/${one(n).id}`, { tags: [`${n % 4}`, 'old'] })).status,
      async (n) => (await user.send('POST', `/api/tasks/${one(n).id}/complete`)).status,
      async (n) => (await user.send('POST', `/api/tasks/${one(n + 1).id}/reopen`)).status,
      async (n) =>
        (await user.send('POST', '/api/tasks/reorder', { task_id: one(n).id, before: one(n + 7).id })).status,
      async (n) =>
        (
          await user.send('POST', '/api/tasks/reorder', {
            task_ids: [one(n).id, one(n + 3).id, one(n + 9).id],
          })
        ).status,
      async (n) => (await user.send('POST', `/api/tasks/${series[n % 5]!.id}/complete`)).status,
      async (n) => (await user.send('PATCH', `/api/tasks/${one(n).id}`, { parent_id: one(n + 1).id })).status,
      async (n) =>
        (await user.send('PATCH', `/api/tasks/${series[n % 5]!.id}?scope=future`, { title: `${n}` })).status,
    ]
    const work = times(120, (n) => kinds[n % kinds.length]!(n))
    const deliveries = times(3, () => service.deliver())
    const statuses = await work
    await deliveries
    await service.deliver()
    // A circle of parents, and the future of an occurrence that is completed, are refused; nothing else is.
    expect(statuses.filter((status) => status >= 300 && status !== 422)).toEqual([])
    const made = await sql<{ count: number }[]>`select count(*)::int from tasks
      where user_id = ${user.id} and series_id is not null group by series_id`
    expect(made.map((row) => row.count)).toEqual([2, 2, 2, 2, 2])
    const places = await sql`select position, id from tasks where user_id = ${user.id} group by position, id`
    const [all] = await sql<{ count: number }[]>`select count(*)::int from tasks where user_id = ${user.id}`
    expect(places).toHaveLength(all!.count)
  })

  it('put one task in 100 places at once: it is in one, and the others keep their order', async () => {
    const user = newUser()
    const tasks = await times(30, (n) => user.create({ title: `${n}` }))
    const byPlace = async () =>
      (
        await sql<{ id: string }[]>`select id from tasks where user_id = ${user.id} order by position, id`
      ).map((row) => row.id)
    const others = (await byPlace()).filter((id) => id !== tasks[0]!.id)
    const answers = await times(100, (n) =>
      user.send('POST', '/api/tasks/reorder', { task_id: tasks[0]!.id, after: tasks[1 + (n % 29)]!.id }),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await byPlace()).filter((id) => id !== tasks[0]!.id)).toEqual(others)
  })

  it('reorder the whole list at once: the order is that of the last of them', async () => {
    const user = newUser()
    const ids = (await times(20, () => user.create())).map(({ id }) => id)
    const orders = Array.from({ length: 40 }, (_, n) => ids.toSorted((a, b) => hash(a, n) - hash(b, n)))
    await Promise.all(orders.map((task_ids) => user.does('POST', '/api/tasks/reorder', { task_ids })))
    const rows = await sql<
      { id: string }[]
    >`select id from tasks where user_id = ${user.id} order by position, id`
    expect(orders.map(String)).toContain(String(rows.map((row) => row.id)))
  })

  it('complete an occurrence at once: one completion, one next occurrence', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    const answers = await times(50, () => user.does('POST', `/api/tasks/${task.id}/complete`))
    for (const answer of answers) expect(answer).toEqual(answers[0])
    await times(3, () => service.deliver())
    expect((await user.events()).map(({ type }) => type)).toEqual([
      ...['task.created', 'task.completed', 'task.occurrence.generated'],
    ])
  })

  it('complete, skip, delete, reopen and edit one series at once: it stays sound and goes on or ends', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = newUser()
      const task = await user.create({
        due_at: '2026-03-02T09:00:00Z',
        recurrence_rule: 'daily',
        tags: ['a'],
      })
      const path = `/api/tasks/${task.id}`
      const acts = ['complete', 'skip', 'reopen', 'restore'].map(
        (name) => () => user.send('POST', `${path}/${name}`),
      )
      acts.push(() => user.send('DELETE', path))
      acts.push(() =>
        user.send('PATCH', `${path}?scope=future`, { due_at: '2026-03-04T10:00:00Z', tags: ['b'] }),
      )
      acts.push(() => user.send('PATCH', path, { recurrence_rule: 'weekly' }))
      acts.push(() => service.deliver().then(() => user.send('PATCH', path, { recurrence_rule: null })))
      const answers = await times(48, (n) => acts[n % acts.length]!())
      expect(answers.filter(({ status }) => status >= 500)).toEqual([])
      await service.deliver()
      const [series] = await sql<{ state: string; live_task_id: string | null }[]>`
        select state, live_task_id from series where user_id = ${user.id} and id = ${task.series_id}`
      expect(series!.state === 'active').toBe(series!.live_task_id !== null)
    }
  })

  it('wake the publisher when their events can be seen, also when they held the others back', async () => {
    const user = newUser()
    const [parent, child] = [await user.create(), await user.create()]
    const { publishing } = service.deps
    // A publisher that looks at once whenever it is woken.
    const looks: Promise<number>[] = []
    const look = () =>
      sql<{ last: number }[]>`select max(seq) as last from events where user_id = ${user.id}`.then(
        ([row]) => row!.last,
      )
    service.deps.publishing = { ...publishing, wake: () => void looks.push(look()) }
    try {
      await patch(user, child.id, { parent_id: parent.id })
    } finally {
      service.deps.publishing = publishing
    }
    expect((await Promise.all(looks)).at(-1)).toBe(3)
  })
})

/** Any order, the same every time. */
function hash(text: string, salt: number): number {
  let sum = salt
  for (const character of text) sum = (sum * 31 + character.codePointAt(0)!) % 1_000_003
  return sum
}
