import { setTimeout as delay } from 'node:timers/promises'
import { DAY_MS } from '../../shared/domain/durations.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { continued, type Account, type Session } from './account.ts'
import { differenceOf, expecting, short, type Request } from './expect.ts'
import { createClient } from './http.ts'
import { createOwnTasks } from './own-tasks.ts'
import type { Kind, Notes } from './observed.ts'
import type { Signals } from './signals.ts'
import type { Innocent } from './signer.ts'
import { randomWords } from './words.ts'

const PLAIN_TASKS = 10
const REMIND_IN_MS = 1000
/** An access token is good for a quarter of an hour. */
const REFRESH_EVERY_MS = 120_000
const OCCURRENCE_WITHIN_MS = 10_000
const POLL_MS = 50

/** A user who works on tasks of their own and knows what every answer has to be. */
export async function createInnocent(
  at: { url: string; forwardedFor: string },
  { account, notes, signals }: { account: Account; notes: Notes; signals: Signals },
): Promise<Innocent> {
  const client = createClient(at.url, { connections: 2, forwardedFor: at.forwardedFor })
  const tasks = createOwnTasks(account.id)
  const expect = expecting(client, account, notes)
  let count = 0
  let turn = 0
  let isSeriesLost = false
  let refreshAt = Date.now() + REFRESH_EVERY_MS

  const input = (tag: string) => {
    const [word] = randomWords(1)
    return {
      title: `${account.name} ${(count += 1)} ${word}`,
      description: `of ${account.name}`,
      tags: [tag],
    }
  }
  const create = async (tag: string, more: object = {}): Promise<TaskView | null> => {
    const sent = { ...input(tag), ...more }
    const { isRight, body } = await expect('create', ['POST', '/api/tasks', sent], {
      status: 201,
      check: (made) => differenceOf(made, { user_id: account.id, ...sent, version: 1 }),
    })
    if (!isRight) tasks.doubt(sent.title)
    return isRight ? (body as TaskView) : null
  }
  /** A write to a task of which only these fields may change. */
  const write = async (
    kind: Kind,
    { task, type, changes }: { task: TaskView; type: string; changes: Partial<TaskView> },
    request: Request,
  ) => {
    const { isRight, body } = await expect(kind, request, {
      check: (after: TaskView) =>
        differenceOf(after, {
          ...task,
          version: task.version + 1,
          ...changes,
          updated_at: after.updated_at,
          completed_at: after.completed_at,
        }),
    })
    if (isRight) tasks.wrote(type, body)
    else tasks.doubt(task.id)
  }

  const actions: Record<string, () => Promise<unknown>> = {
    async create() {
      const task = await create('plain')
      if (task) tasks.wrote('task.created', task)
    },
    async get() {
      const task = tasks.any()
      if (task)
        await expect('get', ['GET', `/api/tasks/${task.id}`], { check: (body) => differenceOf(body, task) })
    },
    list: () =>
      expect('list', ['GET', '/api/tasks?tags=plain&sort_by=created_at&limit=50'], {
        check: ({ items }: { items: TaskView[] }) =>
          tasks.isList(items) ? null : `not the ${tasks.count()} tasks of ${account.name}: ${short(items)}`,
      }),
    async search() {
      const task = tasks.any()
      if (!task) return
      await expect('search', ['GET', `/api/tasks?q=${task.title.split(' ').at(-1)}`], {
        check: ({ items }: { items: TaskView[] }) => differenceOf(items, [task]),
      })
    },
    changes: () =>
      expect('changes', ['GET', `/api/changes?since=${tasks.sequence()}&limit=200`], {
        check: ({ items, has_more: hasMore }: { items: never[]; has_more: boolean }) =>
          tasks.faultOf(items, hasMore),
      }),
    async edit() {
      const task = tasks.open()
      if (!task) return
      const { title } = input('plain')
      await write('edit', { task, type: 'task.updated', changes: { title } }, [
        ...(['PATCH', `/api/tasks/${task.id}`] as const),
        { title },
      ])
    },
    async complete() {
      const task = tasks.open()
      if (!task) return
      const changes = { is_completed: true }
      await write('complete', { task, type: 'task.completed', changes }, [
        ...(['POST', `/api/tasks/${task.id}/complete`] as const),
      ])
    },
    async delete() {
      const task = tasks.oldest()
      if (!task || tasks.count() <= PLAIN_TASKS) return
      const { isRight } = await expect('delete', ['DELETE', `/api/tasks/${task.id}`], { status: 204 })
      if (isRight) tasks.removed(task)
      else tasks.doubt(task.id)
    },
    account: () =>
      expect('account', ['GET', '/api/me'], {
        check: (body) => differenceOf(body, { id: account.id, email: account.email }),
      }),
    async remind() {
      const at = new Date(Date.now() + REMIND_IN_MS).toISOString()
      const task = await create('reminded', { remind_at: at })
      if (task) signals.await(account, task)
    },
    series: () => completeOccurrence(),
    async refresh() {
      const { isRight, body } = await expect<Session>(
        'refresh',
        ['POST', '/api/auth/refresh', { refresh_token: account.refreshToken }],
        { check: ({ user }) => differenceOf(user, { id: account.id }) },
      )
      if (isRight) continued(account, body)
    },
  }

  /** Undefined when the answer was wrong. */
  const openOccurrence = async (): Promise<TaskView | null | undefined> => {
    let found: TaskView | null = null
    const { isRight } = await expect('list', ['GET', '/api/tasks?tags=series&status=active'], {
      check: ({ items }: { items: TaskView[] }) => {
        found = items[0] ?? null
        return items.length <= 1 && (!found || found.user_id === account.id) ? null : short(items)
      },
    })
    return isRight ? found : undefined
  }
  /** Completes the open occurrence of the user's series and waits for the next, a day later. */
  async function completeOccurrence(): Promise<void> {
    if (isSeriesLost) return
    const task = await openOccurrence()
    if (task === undefined) return
    if (task === null) {
      const due = new Date(Date.now() + DAY_MS).toISOString()
      await create('series', { recurrence_rule: 'FREQ=DAILY', due_at: due })
      return
    }
    const path = `/api/tasks/${task.id}/complete`
    const { isRight } = await expect('complete', ['POST', path], {
      check: (body) => differenceOf(body, { id: task.id, is_completed: true }),
    })
    if (!isRight) return
    const startedAt = performance.now()
    while (performance.now() - startedAt < OCCURRENCE_WITHIN_MS) {
      const next = await openOccurrence()
      if (next && next.id !== task.id) {
        notes.took('next occurrence', performance.now() - startedAt)
        const dayLater = new Date(Date.parse(task.occurrence_at!) + DAY_MS).toISOString()
        if (next.occurrence_at !== dayLater || next.title !== task.title)
          notes.wrong(`${account.name}: the occurrence after ${task.occurrence_at} is ${short(next)}`)
        return
      }
      await delay(POLL_MS)
    }
    isSeriesLost = true
    notes.wrong(`${account.name}: no next occurrence within ${OCCURRENCE_WITHIN_MS / 1000} s`)
  }

  for (let more = true; more;) {
    const { body } = await client.ask('GET', `/api/changes?since=${tasks.sequence()}`, {
      token: account.token,
    })
    const page = body as { items: { sequence: string }[]; has_more: boolean }
    tasks.beginAt(Number(page.items.at(-1)?.sequence ?? tasks.sequence()))
    more = page.has_more
  }
  return {
    async act() {
      if (Date.now() >= refreshAt) {
        refreshAt = Date.now() + REFRESH_EVERY_MS
        return actions['refresh']!()
      }
      // So that at every moment of an attack somebody's reminder is about to be due.
      if (!signals.isAwaited(account)) return actions['remind']!()
      return actions[CYCLE[(turn += 1) % CYCLE.length]!]!()
    },
    close: () => client.close(),
  }
}

const CYCLE = [
  'create',
  'get',
  'list',
  'edit',
  'changes',
  'search',
  'series',
  'get',
  'complete',
  'create',
  'list',
  'account',
  'get',
  'edit',
  'changes',
  'delete',
  'search',
  'delete',
]
