import { describe, expect, it } from 'vitest'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { Client, HappenedEvent } from '../worlds/task-service.ts'

export interface Write {
  method: string
  path: (task: TaskView) => string
  body?: (task: TaskView) => object
  /** Another request with the same key. */
  other?: (task: TaskView) => object
  /** Brings the task into the state in which the write has an effect. */
  before?: (user: Client, task: TaskView) => Promise<unknown>
  takesIfMatch: boolean
}

const act = (name: string, before?: Write['before']): Write => ({
  method: 'POST',
  path: (task) => `/api/tasks/${task.id}/${name}`,
  takesIfMatch: true,
  ...(before && { before }),
})

const WRITES: Record<string, Write> = {
  create: {
    method: 'POST',
    path: () => '/api/tasks',
    takesIfMatch: false,
    body: (task) => ({ title: 'Buy milk', parent_id: task.id }),
    other: () => ({ title: 'Buy tea' }),
  },
  replace: {
    method: 'PUT',
    path: (task) => `/api/tasks/${task.id}`,
    takesIfMatch: true,
    body: () => ({ title: 'Buy milk' }),
    other: () => ({ title: 'Buy tea' }),
  },
  edit: {
    method: 'PATCH',
    path: (task) => `/api/tasks/${task.id}`,
    takesIfMatch: true,
    body: () => ({ title: 'Buy milk' }),
    other: () => ({ title: 'Buy tea' }),
  },
  complete: act('complete'),
  reopen: act('reopen', (user, task) => user.does('POST', `/api/tasks/${task.id}/complete`)),
  skip: act('skip'),
  delete: { method: 'DELETE', path: (task) => `/api/tasks/${task.id}`, takesIfMatch: true },
  restore: act('restore', (user, task) => user.does('DELETE', `/api/tasks/${task.id}`)),
  reorder: {
    method: 'POST',
    path: () => '/api/tasks/reorder',
    takesIfMatch: false,
    body: (task) => ({ task_id: task.id, before: task.parent_id }),
    other: (task) => ({ task_id: task.id, after: task.parent_id }),
  },
}
export const writes = Object.entries(WRITES)

/** A recurring task below another, in the state that the write asks for, and the version it has then. */
export async function prepare(user: Client, write: Write): Promise<{ task: TaskView; version: number }> {
  const parent = await user.create()
  const task = await user.create({
    title: 'Water plants',
    due_at: '2027-03-01T09:00:00Z',
    recurrence_rule: 'daily',
    tags: ['home'],
    parent_id: parent.id,
  })
  await write.before?.(user, task)
  const last = (await user.events()).findLast(
    ({ type, data }) => type.startsWith('task.') && data.task.id === task.id,
  )
  return { task, version: last!.data.task.version }
}

export const send = (user: Client, write: Write, task: TaskView, headers: Record<string, string>) =>
  user.send(write.method, write.path(task), write.body?.(task), headers)

/**
 * What every write promises to who sends it again, and to who names the version it is meant for. Where consumers run by
 * themselves (`hasConsumers`) the next occurrence comes at a time of its own, and is not counted among what requests did.
 */
export function retrySafety(
  register: () => Promise<Client>,
  { hasConsumers }: { hasConsumers: boolean },
): void {
  const facts = (events: readonly HappenedEvent[]) =>
    events.filter(
      ({ type }) => type.startsWith('task.') && !(hasConsumers && type === 'task.occurrence.generated'),
    )

  describe('If-Match', () => {
    const guarded = writes.filter(([, write]) => write.takesIfMatch)

    it.each(guarded)('%s refuses all but its version, and what is no entity tag', async (_, write) => {
      const user = await register()
      const { task, version } = await prepare(user, write)
      const seen = (await user.events()).length
      const refusal = async (tag: string) => {
        const { status, problem } = await send(user, write, task, { 'if-match': tag })
        return [status, problem.code]
      }
      for (const tag of [`"${version + 1}", "${version + 2}"`, '"0"', 'W/"1"', '"x"', '"9999999999"'])
        expect(await refusal(tag)).toEqual([412, 'task.version_conflict'])
      for (const tag of ['4', '"4', '"1" "2"', ', ,', ''])
        expect(await refusal(tag)).toEqual([400, 'request.malformed'])
      expect(facts(await user.events(seen))).toEqual([])
    })

    it.each(guarded)('%s takes the version, a list with it, and *', async (_, write) => {
      for (const tag of [(v: number) => `"${v}"`, (v: number) => `"99" , "${v}"`, () => '*']) {
        const user = await register()
        const { task, version } = await prepare(user, write)
        expect((await send(user, write, task, { 'if-match': tag(version) })).status).toBeLessThan(300)
      }
    })

    it('lets no update of two clients be lost', async () => {
      const user = await register()
      const { id } = await user.create({ description: '' })
      // Each adds a letter to what is there, again and again until its version was the right one.
      const append = async (letter: string) => {
        let current = await user.does('PATCH', `/api/tasks/${id}`, {})
        for (;;) {
          const got = await user.send(
            'PATCH',
            `/api/tasks/${id}`,
            { description: `${current.description}${letter}` },
            { 'if-match': `"${current.version}"` },
          )
          if (got.status === 200) return
          expect(got.status).toBe(412)
          current = await user.does('PATCH', `/api/tasks/${id}`, {})
        }
      }
      await Promise.all('abcdefghijklmnopqrst'.split('').map(append))
      const { description, version } = await user.does('PATCH', `/api/tasks/${id}`, {})
      expect(description!.split('').toSorted().join('')).toBe('abcdefghijklmnopqrst')
      expect(version).toBe(21)
    })
  })

  describe('Idempotency-Key', () => {
    it.each(writes)('%s refuses the key with another request', async (_, write) => {
      const user = await register()
      const { task } = await prepare(user, write)
      const key = { 'idempotency-key': 'k-1' }
      await send(user, write, task, key)
      const others = [
        () => user.send('POST', '/api/tasks', { title: 'Something else' }, key),
        () => send(user, write, task, { ...key, 'if-match': '"77"' }),
        ...(write.other ? [() => user.send(write.method, write.path(task), write.other!(task), key)] : []),
      ]
      for (const other of others) {
        expect(await other()).toMatchObject({ status: 422, problem: { code: 'idempotency.key_reused' } })
      }
    })

    it.each(writes)('%s sent 50 times at once has one effect and one answer', async (_, write) => {
      const user = await register()
      const { task } = await prepare(user, write)
      const seen = (await user.events()).length
      const key = { 'idempotency-key': 'k-1' }
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(user, write, task, key)))
      const done = answers.filter(({ status }) => status < 300)
      const refused = answers.filter(({ status }) => status >= 300)
      expect(done.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1)
      for (const { body } of done) expect(body).toEqual(done[0]!.body)
      for (const { status, problem, headers } of refused) {
        expect([status, problem.code]).toEqual([409, 'idempotency.in_flight'])
        expect(headers.get('retry-after')).toBe('1')
      }
      const [fact, ...more] = facts(await user.events(seen)).map(({ type }) => type)
      expect(fact).toBeDefined()
      // To reopen may also take back a next occurrence that a consumer has made meanwhile.
      const isTakenBack = hasConsumers && write === WRITES['reopen']
      expect(more).toEqual(isTakenBack && more.length > 0 ? ['task.deleted'] : [])
      expect((await send(user, write, task, key)).body).toEqual(done[0]!.body)
    })

    it('belongs to one user, whichever path names them', async () => {
      const [ada, eve] = [await register(), await register()]
      const key = { 'idempotency-key': 'k-1' }
      const milk = await ada.does('POST', '/api/tasks', { title: 'Buy milk' }, key)
      const tea = await eve.does('POST', '/api/tasks', { title: 'Buy tea' }, key)
      expect(tea.title).toBe('Buy tea')
      expect(await ada.does('POST', `/api/${ada.id}/tasks`, { title: 'Buy milk' }, key)).toEqual(milk)
    })

    it('is not used up by a request that was refused', async () => {
      const user = await register()
      const key = { 'idempotency-key': 'k-1' }
      expect((await user.send('POST', '/api/tasks', { title: '' }, key)).status).toBe(422)
      expect((await user.send('POST', '/api/tasks', { title: 'Buy milk' }, key)).status).toBe(201)
    })

    it('holds for a request that changes nothing', async () => {
      const user = await register()
      const task = await user.create()
      const key = { 'idempotency-key': 'k-1' }
      await user.does('PATCH', `/api/tasks/${task.id}`, { title: task.title }, key)
      await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Buy milk' })
      expect(await user.does('PATCH', `/api/tasks/${task.id}`, { title: task.title }, key)).toEqual(task)
    })

    it.each(['', 'with space', 'x'.repeat(256), 'ü'])('refuses %j as a key with 400', async (key) => {
      const got = await (
        await register()
      ).send('POST', '/api/tasks', { title: 'Buy milk' }, { 'idempotency-key': key })
      expect(got).toMatchObject({ status: 400, problem: { code: 'request.malformed' } })
    })
  })
}
