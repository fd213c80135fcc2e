import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, sql } = service

const reorder = (user: Client, body: unknown) => user.send('POST', '/api/tasks/reorder', body)

/** Titles in the order of the list. */
async function order(user: Client): Promise<string> {
  const rows = await sql<{ title: string }[]>`
    select title from tasks where user_id = ${user.id} and deleted_at is null order by position, id`
  return rows.map((row) => row.title).join(' ')
}

/** Tasks named a, b, c …, all created in the same millisecond, or a second apart. */
async function list(user: Client, length: number, apart = false): Promise<TaskView[]> {
  const tasks: TaskView[] = []
  for (let n = 0; n < length; n += 1) {
    if (apart) service.at(new Date(Date.UTC(2026, 2, 2, 8, 0, n)).toISOString())
    tasks.push(await user.create({ title: String.fromCodePoint(97 + n) }))
  }
  return tasks
}

describe('POST /api/tasks/reorder with task_ids', () => {
  it('puts the tasks into the given order, and answers and records those that moved', async () => {
    const user = newUser()
    const [a, b, c] = (await list(user, 3, true)) as [TaskView, TaskView, TaskView]
    const got = await reorder(user, { task_ids: [c.id, b.id, a.id] })
    expect(got).toMatchObject({
      status: 200,
      body: {
        moved: [
          { task_id: c.id, position: a.position, version: 2 },
          { task_id: a.id, position: c.position, version: 2 },
        ],
      },
    })
    expect(await order(user)).toBe('c b a')
    const event = (await user.events()).at(-1)!
    expect(event).toMatchObject({ type: 'task.reordered', subject: `user/${user.id}` })
    expect(event.data).toEqual({
      positions: (got.body as { moved: unknown }).moved,
      actor: { type: 'user', id: user.id },
    })
  })

  it('leaves tasks that are not named where they are', async () => {
    const user = newUser()
    const [a, , c, , e] = await list(user, 5, true)
    await reorder(user, { task_ids: [e!.id, c!.id, a!.id] })
    expect(await order(user)).toBe('e b c d a')
  })

  it('orders tasks of the same millisecond', async () => {
    const user = newUser()
    const tasks = await list(user, 5)
    expect(await order(user)).toBe('a b c d e')
    const ids = tasks.map(({ id }) => id)
    await reorder(user, { task_ids: [ids[4], ids[2], ids[0], ids[3], ids[1]] })
    expect(await order(user)).toBe('e c a d b')
    await reorder(user, { task_ids: ids })
    expect(await order(user)).toBe('a b c d e')
  })

  it('changes nothing for the order that is there already', async () => {
    const user = newUser()
    const ids = (await list(user, 3, true)).map(({ id }) => id)
    const seen = (await user.events()).length
    expect(await reorder(user, { task_ids: ids })).toMatchObject({ status: 200, body: { moved: [] } })
    expect(await user.events(seen)).toEqual([])
  })

  it('refuses ids that are unknown, deleted, of another user or named twice, and says which', async () => {
    const [ada, eve] = [newUser(), newUser()]
    const [a, b] = (await list(ada, 2)) as [TaskView, TaskView]
    const foreign = await eve.create()
    await ada.does('DELETE', `/api/tasks/${b.id}`)
    for (const wrong of ['0199d0a0-0000-7000-8000-000000000000', b.id, foreign.id, a.id.toUpperCase()]) {
      expect(await reorder(ada, { task_ids: [a.id, wrong] })).toMatchObject({
        status: 422,
        problem: { errors: [{ path: 'task_ids.1' }] },
      })
    }
  })
})

describe('POST /api/tasks/reorder with a task and its neighbour', () => {
  it.each([
    ['d', 'before', 'b', 'a d b c'],
    ['d', 'before', 'a', 'd a b c'],
    ['a', 'before', 'd', 'b c a d'],
    ['a', 'after', 'd', 'b c d a'],
    ['a', 'after', 'b', 'b a c d'],
    ['d', 'after', 'a', 'a d b c'],
  ] as const)('moves %s %s %s', async (moved, side, anchor, expected) => {
    for (const apart of [true, false]) {
      const user = newUser()
      const tasks = new Map((await list(user, 4, apart)).map((task) => [task.title, task.id]))
      const got = await reorder(user, { task_id: tasks.get(moved), [side]: tasks.get(anchor) })
      expect(got.status).toBe(200)
      expect(await order(user)).toBe(expected)
    }
  })

  it.each([
    ['c', 'after', 'b'],
    ['b', 'before', 'c'],
    ['d', 'after', 'c'],
    ['a', 'before', 'b'],
  ] as const)('changes nothing when %s is right %s %s already', async (moved, side, anchor) => {
    for (const apart of [true, false]) {
      const user = newUser()
      const tasks = new Map((await list(user, 4, apart)).map((task) => [task.title, task.id]))
      const body = { task_id: tasks.get(moved), [side]: tasks.get(anchor) }
      expect(await reorder(user, body)).toMatchObject({ status: 200, body: { moved: [] } })
      expect(await order(user)).toBe('a b c d')
    }
  })

  it('touches one task where there is room', async () => {
    const user = newUser()
    const tasks = await list(user, 4, true)
    const got = await reorder(user, { task_id: tasks[3]!.id, after: tasks[0]!.id })
    expect(got.body).toMatchObject({ moved: [{ task_id: tasks[3]!.id, version: 2 }] })
  })

  it("refuses what is not there, is not the user's, or is the task itself", async () => {
    const [ada, eve] = [newUser(), newUser()]
    const [a, b] = (await list(ada, 2)) as [TaskView, TaskView]
    const foreign = await eve.create()
    expect(await reorder(ada, { task_id: foreign.id, after: a.id })).toMatchObject({ status: 404 })
    expect(await reorder(ada, { task_id: a.id, after: foreign.id })).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'after' }] },
    })
    expect(await reorder(ada, { task_id: a.id, before: a.id })).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'before' }] },
    })
    await ada.does('DELETE', `/api/tasks/${b.id}`)
    expect(await reorder(ada, { task_id: b.id, before: a.id })).toMatchObject({ status: 404 })
  })

  it.each([
    [{}, ['']],
    [{ task_ids: [] }, ['task_ids']],
    [{ task_ids: ['x'] }, ['task_ids.0']],
    [
      {
        task_ids: Array.from(
          { length: 1001 },
          (_, n) => `0199d0a0-0000-7000-8000-${String(n).padStart(12, '0')}`,
        ),
      },
      ['task_ids'],
    ],
    [{ task_id: 'x', before: '0199d0a0-0000-7000-8000-000000000000' }, ['task_id']],
    [{ task_id: '0199d0a0-0000-7000-8000-000000000000', after: 4 }, ['after']],
    [{ task_ids: ['0199d0a0-0000-7000-8000-000000000000'], order: 'asc' }, ['order']],
  ])('refuses %j, naming the field', async (body, paths) => {
    const got = await reorder(newUser(), body)
    expect([got.status, got.problem.errors?.map(({ path }) => path)]).toEqual([422, paths])
  })

  it('finds room 1000 times in the same place, and the order stays right', async () => {
    const user = newUser()
    const fixed = await list(user, 3)
    const made = await Promise.all(Array.from({ length: 100 }, (_, n) => user.create({ title: `${n}` })))
    const expected: string[] = []
    for (let turn = 0; turn < 1000; turn += 1) {
      const task = made[turn % made.length]!
      const got = await reorder(user, { task_id: task.id, after: fixed[0]!.id })
      if (got.status !== 200) throw new Error(JSON.stringify(got.body))
      if (turn >= 900) expected.unshift(task.title)
    }
    expect(await order(user)).toBe(['a', ...expected, 'b', 'c'].join(' '))
  }, 60_000)

  it.each([
    ['after', 'b'],
    ['before', 'b'],
    ['before', 'a'],
    ['after', 'z'],
  ] as const)('moves many at the same time %s %s, each to a place of its own', async (side, anchor) => {
    for (const apart of [true, false]) {
      const user = newUser()
      service.at('2026-03-02T08:00:25.000Z')
      const tasks = await list(user, 26, apart)
      const at = (title: string) => tasks.find((task) => task.title === title)!.id
      const moved = 'fghijklmno'.split('')
      const made = Promise.all(
        Array.from({ length: 5 }, (_, n) => {
          service.at(new Date(Date.UTC(2026, 2, 2, 8, 0, 25, n)).toISOString())
          return user.create({ title: `${n}` })
        }),
      )
      const got = await Promise.all(
        moved.map((title) => reorder(user, { task_id: at(title), [side]: at(anchor) })),
      )
      await made
      expect(got.map(({ status }) => status)).toEqual(moved.map(() => 200))
      const titles = (await order(user)).split(' ').filter((title) => /[a-z]/.test(title))
      const start = titles.indexOf(anchor)
      const beside = side === 'after' ? titles.slice(start + 1, start + 11) : titles.slice(start - 10, start)
      expect(beside.toSorted()).toEqual(moved)
      const places = await sql<{ times: number }[]>`
        select count(*)::int as times from tasks where user_id = ${user.id}
        group by position having bool_or(id = any(${moved.map(at)}::uuid[]))`
      expect(places.map(({ times }) => times)).toEqual(moved.map(() => 1))
    }
  })

  it('moves a thousand tasks at most: closer together where it must, and is refused where there is no room', async () => {
    const user = newUser()
    await Promise.all(Array.from({ length: 1100 }, (_, n) => user.create({ title: `${n}` })))
    const places = await sql<{ id: string; title: string }[]>`
      select id, title from tasks where user_id = ${user.id} order by position, id`
    const [last, anchor, farther] = [places.at(-1)!, places[0]!, places[200]!]
    const seen = await user.events()
    const got = await reorder(user, { task_id: last.id, after: anchor.id })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'after' }] } })
    expect(got.problem.detail).toContain('1000')
    expect(await user.events()).toEqual(seen)
    // Behind the 200th there are fewer, and the end of the list is all the room there is to want.
    expect((await reorder(user, { task_id: last.id, after: farther.id })).status).toBe(200)
    const titles = places.map(({ title }) => title)
    expect(await order(user)).toBe([...titles.slice(0, 201), last.title, ...titles.slice(201, -1)].join(' '))
  }, 60_000)

  it('finds room close by when tasks lie in one millisecond after the other', async () => {
    const user = newUser()
    const [first, ...others] = await list(user, 3)
    // Ten in each of 300 milliseconds: a thousand apart, each push would only push the next.
    for (let ms = 1; ms <= 300; ms += 1) {
      service.at(new Date(Date.parse('2026-03-02T08:00:00Z') + ms).toISOString())
      await Promise.all(Array.from({ length: 10 }, (_, n) => user.create({ title: `${ms}/${n}` })))
    }
    const got = await reorder(user, { task_id: others[1]!.id, after: first!.id })
    expect(got).toMatchObject({ status: 200 })
    expect((got.body as { moved: unknown[] }).moved.length).toBeLessThan(5)
    expect((await order(user)).slice(0, 5)).toBe('a c b')
  }, 60_000)
})
