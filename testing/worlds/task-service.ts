import { afterEach, beforeEach, expect } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { FieldError } from '../../shared/domain/errors.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { loadFunctions } from '../../functions/main.ts'
import { invariantViolations } from './invariants.ts'
import { asSidecar, tokenOf } from './compose-daybook.ts'
import { testDaybook } from './test-daybook.ts'

/** The time at the beginning of every test, a Monday. */
const START = '2026-03-02T08:00:00.000Z'
const WRITES = [
  'tasks/create-task',
  'tasks/edit-task',
  'tasks/replace-task',
  'tasks/complete-task',
  'tasks/reopen-task',
  'tasks/skip-occurrence',
  'tasks/delete-task',
  'tasks/restore-task',
  'tasks/reorder-tasks',
  'recurrence/create-next-occurrence',
]

/** An answer, read: `task` for what a write answers, `problem` for a refusal. */
export interface Got {
  status: number
  headers: Headers
  body: unknown
  task: TaskView
  problem: { code: string; detail: string; errors?: FieldError[] }
}

export interface HappenedEvent {
  seq: number
  type: string
  subject: string
  source: string
  data: {
    task: TaskView
    changes: Record<string, { old: unknown; new: unknown }>
    series: Record<string, unknown>
    missed: string[]
    [field: string]: unknown
  }
  traceparent: string
}

export interface Client {
  id: string
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Got>
  /** Sends and expects a success; resolves to the task. */
  does(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TaskView>
  create(input?: object): Promise<TaskView>
  /** What has happened so far, in sequence; `after` leaves out what was known. */
  events(after?: number): Promise<HappenedEvent[]>
}

export type TaskService = Awaited<ReturnType<typeof taskService>>

/**
 * The writes of tasks with the maker of next occurrences. Call at the top of a file, with the functions it takes besides.
 * After each test invariants.ts checks the database.
 */
export async function taskService(also: string[] = []) {
  const daybook = await testDaybook()
  const { sql, deps, zones, broker } = daybook
  // Tests write a lot at once; functions/fair-share.test.ts is about who has to wait.
  deps.settings.maxWeightOfUser = Infinity
  const app = mountFunctions(await loadFunctions([...WRITES, ...also]), deps)
  broker.deliver = async (topic, event) => {
    if (topic !== 'task-events') return
    const body = JSON.stringify(event)
    const answer = await app.request(`/dapr/events/${topic}`, { method: 'POST', body, ...asSidecar })
    expect(await answer.json()).toEqual({ status: 'SUCCESS' })
  }

  function newUser(options: { timeZone?: string } = {}): Client {
    const id = systemIds.uuid()
    if (options.timeZone !== undefined) zones.set(id, options.timeZone)
    const send: Client['send'] = async (method, path, body, headers = {}) => {
      const answer = await app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${tokenOf(id)}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const read = text === '' ? null : (JSON.parse(text) as unknown)
      return {
        status: answer.status,
        headers: answer.headers,
        body: read,
        task: read as TaskView,
        problem: read as Got['problem'],
      }
    }
    const does: Client['does'] = async (method, path, body, headers) => {
      const got = await send(method, path, body, headers)
      if (got.status >= 300) throw new Error(`${method} ${path}: ${got.status} ${JSON.stringify(got.body)}`)
      return got.task
    }
    return {
      id,
      send,
      does,
      create: (input = {}) => does('POST', '/api/tasks', { title: 'Pay rent', ...input }),
      events: (after = 0) => sql<HappenedEvent[]>`
        select seq, type, subject, source, data, traceparent from events
        where user_id = ${id} and seq > ${after} order by seq`,
    }
  }

  /** Says what time it is from now on. */
  const at = (instant: string) => daybook.clock.set(instant)
  /** Publishes what is waiting and delivers it to its consumers, until nothing is left. */
  const deliver = async () => {
    while ((await deps.outbox.backlog()).waiting > 0) await publishPending(deps)
  }
  /** Completes a task, delivers the event and resolves to the occurrence made of it, if any. */
  const next = async (user: Client, id: string, instant?: string) => {
    if (instant) at(instant)
    await user.does('POST', `/api/tasks/${id}/complete`)
    const seen = (await user.events()).at(-1)?.seq
    await deliver()
    const made = (await user.events(seen)).find(({ type }) => type === 'task.occurrence.generated')
    return made?.data.task
  }

  beforeEach(() => at(START))
  afterEach(async () => expect(await invariantViolations(sql)).toEqual([]))
  return { ...daybook, app, newUser, at, deliver, next }
}
