import { describe, expect, it } from 'vitest'
import type { Client } from '../worlds/task-service.ts'

export const times = <T>(length: number, make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length }, (_, n) => make(n)))

interface Around {
  register: () => Promise<Client>
  /** Resolves when the events of a user so far have had their effects. */
  untilDelivered: (user: Client) => Promise<void>
}

/** What holds however many write at once. */
export function concurrentWriters({ register, untilDelivered }: Around): void {
  describe('100 writers on the list of one user', () => {
    it('lose no update of the same task', async () => {
      const user = await register()
      const { id } = await user.create()
      // Every fourth of them writes a field of its own last.
      await times(100, (n) =>
        user.does(
          'PATCH',
          `/api/tasks/${id}`,
          [
            { title: `title ${n}` },
            { description: `description ${n}` },
            { tags: [`tag ${n}`, 'all'] },
            { due_at: new Date(Date.UTC(2027, 3, 1, 0, n)).toISOString() },
          ][n % 4]!,
        ),
      )
      const events = await ofTasks(user)
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

    it('put one task in 100 places at once: it is in one, and the others keep their order', async () => {
      const user = await register()
      const tasks = await times(30, (n) => user.create({ title: `${n}` }))
      const others = (await byPlace(user)).filter((id) => id !== tasks[0]!.id)
      const answers = await times(100, (n) =>
        user.send('POST', '/api/tasks/reorder', { task_id: tasks[0]!.id, after: tasks[1 + (n % 29)]!.id }),
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect((await byPlace(user)).filter((id) => id !== tasks[0]!.id)).toEqual(others)
    })

    it('reorder the whole list at once: the order is that of the last of them', async () => {
      const user = await register()
      const ids = (await times(20, () => user.create())).map(({ id }) => id)
      const orders = Array.from({ length: 40 }, (_, n) => ids.toSorted((a, b) => hash(a, n) - hash(b, n)))
      await Promise.all(orders.map((task_ids) => user.does('POST', '/api/tasks/reorder', { task_ids })))
      expect(orders.map(String)).toContain(String(await byPlace(user)))
    })

    it('complete an occurrence at once: one completion, one next occurrence', async () => {
      const user = await register()
      const task = await user.create({ due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' })
      const answers = await times(50, () => user.does('POST', `/api/tasks/${task.id}/complete`))
      for (const answer of answers) expect(answer).toEqual(answers[0])
      await untilDelivered(user)
      expect((await ofTasks(user)).map(({ type }) => type)).toEqual([
        'task.created',
        'task.completed',
        'task.occurrence.generated',
      ])
    })
  })
}

/** Without those of the account. */
const ofTasks = async (user: Client) => (await user.events()).filter(({ type }) => type.startsWith('task.'))

/** The tasks by their places, as the API lists them. */
async function byPlace(user: Client): Promise<string[]> {
  const got = await user.send('GET', '/api/tasks?sort_by=position&limit=100')
  return (got.body as { items: { id: string }[] }).items.map(({ id }) => id)
}

/** Any order, the same every time. */
function hash(text: string, salt: number): number {
  let sum = salt
  for (const character of text) sum = (sum * 31 + character.codePointAt(0)!) % 1_000_003
  return sum
}
