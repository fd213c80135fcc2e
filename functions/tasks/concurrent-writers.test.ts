import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { concurrentWriters, times } from '../../testing/contracts/concurrent-writers.contract.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

// After each test the books must balance: sequences without a gap, counters and tags equal to a recount.
const service = await taskService(['tasks/list-tasks'])
const { newUser, sql } = service

const patch = (user: Client, id: string, body: object) => user.does('PATCH', `/api/tasks/${id}`, body)

concurrentWriters({
  register: async () => newUser(),
  untilDelivered: async () => void (await times(3, () => service.deliver())),
})

describe('many writers in the database of one user', () => {
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
