import { isDeepStrictEqual } from 'node:util'
import type { NotificationView } from '../../../shared/domain/notifications/notification.ts'
import type { TaskView } from '../../../shared/domain/tasks/task.ts'
import type { ApiClient, Person } from '../../worlds/api-client.ts'
import type { Random } from '../../faults/random.ts'

/** Of each kind, so that all fit on a page. */
const MAX_TASKS = 60
const REMINDED_AHEAD_MS = 1500

/** Somebody who minds their own business while the statements of others fail, and knows what every answer has to be. */
export interface Innocent {
  /** One request, or two. */
  act(): Promise<void>
  /** What consumers and sweeps still owe; empty when they have done all they have to. */
  owed(): Promise<string[]>
}

interface Change {
  sequence: string
  userid: string
  type: string
  data: { task?: TaskView }
}

/** `wrong` gets every answer that is not the right one; "not now" (429, 503) is none, and is asked again. */
export function innocent(api: ApiClient, person: Person, random: Random, wrong: string[]): Innocent {
  const titles = new Map<string, string>()
  const recurring: string[] = []
  const reminded: string[] = []
  let seen = 0
  let count = 0

  async function ask<Body>(method: string, path: string, json?: unknown): Promise<Body | undefined> {
    const headers = method === 'GET' ? {} : { 'idempotency-key': crypto.randomUUID() }
    for (;;) {
      const got = await api.ask(method, path, {
        token: person.token,
        headers,
        ...(json !== undefined && { json }),
      })
      if (got.status < 300) return JSON.parse(got.text) as Body
      const isLater = [429, 503].includes(got.status) || got.text.includes('idempotency.in_flight')
      if (isLater) continue
      wrong.push(`${method} ${path}: ${got.status} ${got.text}`)
      return undefined
    }
  }

  const expectSame = (what: string, got: unknown, due: unknown) => {
    if (isDeepStrictEqual(got, due)) return
    wrong.push(
      `${what}: ${JSON.stringify(got)?.slice(0, 500)} in place of ${JSON.stringify(due).slice(0, 500)}`,
    )
  }

  const ACTIONS = {
    async create() {
      if (titles.size >= MAX_TASKS) return
      const title = `Task ${++count} of ${person.id}`
      const task = await ask<TaskView>('POST', '/api/tasks', { title })
      if (!task) return
      expectSame('created', task.title, title)
      titles.set(task.id, title)
    },
    async read() {
      const id = random.pick([...titles.keys(), undefined])
      if (!id) return
      const task = await ask<TaskView>('GET', `/api/tasks/${id}`)
      if (task) expectSame('read', [task.id, task.title], [id, titles.get(id)])
    },
    async edit() {
      const id = random.pick([...titles.keys(), undefined])
      if (!id) return
      const title = `Task ${++count} of ${person.id}`
      const task = await ask<TaskView>('PATCH', `/api/tasks/${id}`, { title })
      if (!task) return
      expectSame('edited', [task.id, task.title], [id, title])
      titles.set(id, title)
    },
    async list() {
      const page = await ask<{ items: TaskView[] }>('GET', '/api/tasks?limit=200')
      if (!page) return
      const listed = page.items.map((task) => [task?.id, task?.title] as const)
      const ours = listed.filter(([, title]) => title === undefined || title.startsWith('Task '))
      expectSame('listed', Object.fromEntries(ours), Object.fromEntries(titles))
    },
    async whoAmI() {
      const me = await ask<{ id: string; email: string }>('GET', '/api/me')
      if (me) expectSame('account', [me.id, me.email], [person.id, person.email])
    },
    changes: () => newChanges(),
    async completeDaily() {
      if (recurring.length >= MAX_TASKS) return
      const due = { title: 'Daily', due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' }
      const task = await ask<TaskView>('POST', '/api/tasks', due)
      const done = task && (await ask<TaskView>('POST', `/api/tasks/${task.id}/complete`))
      if (!done) return
      expectSame('completed', [done.id, done.title], [task.id, 'Daily'])
      recurring.push(String(task.series_id))
    },
    async remind() {
      if (reminded.length >= MAX_TASKS) return
      const remind_at = new Date(Date.now() + REMINDED_AHEAD_MS).toISOString()
      const task = await ask<TaskView>('POST', '/api/tasks', { title: 'Reminded', remind_at })
      if (task) reminded.push(task.id)
    },
  }

  const { create, read, edit, list, whoAmI, changes, completeDaily, remind } = ACTIONS
  const HABITS = [create, create, read, read, edit, list, whoAmI, changes, completeDaily, remind]
  const history: Change[] = []
  async function newChanges(): Promise<void> {
    const page = await ask<{ items: Change[] }>('GET', `/api/changes?since=${seen}&limit=1000`)
    if (!page) return
    const due = page.items.map((_, index) => [seen + 1 + index, person.id])
    const got = page.items.map((change) => [Number(change?.sequence), change?.userid])
    expectSame('changes', got, due)
    seen += page.items.length
    history.push(...page.items)
  }

  return {
    async act() {
      await random.pick(HABITS)()
    },
    async owed() {
      await newChanges()
      await ACTIONS.list()
      const made = (series: string) =>
        history.filter(
          ({ type, data }) => type === 'task.occurrence.generated' && data.task?.series_id === series,
        )
      const shown =
        (await ask<{ items: NotificationView[] }>('GET', '/api/notifications?limit=100'))?.items ?? []
      const about = (id: string) => shown.filter(({ task_id }) => task_id === id)
      return [
        ...recurring
          .filter((series) => made(series).length !== 1)
          .map((series) => `next occurrence of ${series}: ${made(series).length}`),
        ...reminded
          .filter((id) => about(id).length !== 1)
          .map((id) => `reminder of ${id}: ${about(id).length}`),
      ]
    },
  }
}
