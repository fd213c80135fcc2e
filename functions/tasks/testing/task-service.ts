import type { Hono } from 'hono'
import { afterEach, beforeEach, expect } from 'vitest'
import { ownNextOccurrences } from '../../../shared/app/create-next-occurrence.ts'
import type { Broker, Deps } from '../../../shared/app/ports.ts'
import { publishPending } from '../../../shared/app/publish-events.ts'
import { createChangeStore } from '../../../shared/db/change-store.ts'
import type { Sql } from '../../../shared/db/connect.ts'
import { createHousekeeping, createSeriesSweep } from '../../../shared/db/maintenance.ts'
import { createOutbox } from '../../../shared/db/outbox.ts'
import type { CloudEvent } from '../../../shared/domain/cloud-event.ts'
import type { FieldError } from '../../../shared/domain/errors.ts'
import type { TaskView } from '../../../shared/domain/task.ts'
import type { AppEnv } from '../../../shared/kit/base-app.ts'
import { mountFunctions, type DaybookFunction } from '../../../shared/kit/mount-functions.ts'
import { systemIds } from '../../../shared/kit/system.ts'
import { testDatabase } from '../../../shared/testing/database.ts'
import createNextOccurrence from '../../recurrence/create-next-occurrence.ts'
import completeTask from '../complete-task.ts'
import createTask from '../create-task.ts'
import deleteTask from '../delete-task.ts'
import editTask from '../edit-task.ts'
import reopenTask from '../reopen-task.ts'
import reorderTasks from '../reorder-tasks.ts'
import replaceTask from '../replace-task.ts'
import restoreTask from '../restore-task.ts'
import skipOccurrence from '../skip-occurrence.ts'
import { faultsInTheBooks } from './books.ts'

const SIDECAR_TOKEN = 'of-the-sidecar'
/** The time at the beginning of every test, a Monday. */
const START = '2026-03-02T08:00:00.000Z'
const WRITES: DaybookFunction[] = [
  ...[createTask, editTask, replaceTask, completeTask, reopenTask, skipOccurrence, deleteTask],
  ...[restoreTask, reorderTasks, createNextOccurrence],
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

/** The writes of tasks with the maker of next occurrences, on a PostgreSQL and a clock of their own. */
export interface TaskService {
  sql: Sql
  deps: Deps
  app: Hono<AppEnv>
  /** Says what time it is from now on. */
  at(instant: string): void
  newUser(options?: { timeZone?: string }): Client
  /** Publishes what is waiting and delivers it to its consumers, until nothing is left. */
  deliver(): Promise<void>
  /** Completes a task, delivers the event and resolves to the occurrence made of it, if any. */
  next(user: Client, id: string, at?: string): Promise<TaskView | undefined>
  /** Everything published so far, copies for task-updates included. */
  published: { topic: string; event: CloudEvent }[]
  logged: object[]
  wakes(): number
}

/** Call at the top of a file. After each test the books must balance, see books.ts. */
export async function taskService(also: DaybookFunction[] = []): Promise<TaskService> {
  const sql = await testDatabase()
  let now = new Date(START)
  let woken = 0
  const zones = new Map<string, string>()
  const published: TaskService['published'] = []
  const logged: object[] = []
  const broker: Broker = {
    publishAll: async (topic, events) => {
      for (const event of events) {
        published.push({ topic, event })
        if (topic === 'task-events') await deliverOne(event)
      }
      return new Set()
    },
  }
  const ports = {
    clock: { now: () => now },
    ids: systemIds,
    log: { info: note, warn: note, error: note },
    changes: createChangeStore(sql),
    sweep: createSeriesSweep(sql),
    outbox: createOutbox(sql),
    housekeeping: createHousekeeping(sql),
    broker,
    publishing: { wake: () => void (woken += 1) },
    authenticate: async (token: string) => ({
      ...{ userId: token, view: { type: 'user', id: token }, scopes: [] },
      timeZone: zones.get(token) ?? 'UTC',
    }),
    settings: { appToken: SIDECAR_TOKEN },
  } as unknown as Deps
  const deps: Deps = { ...ports, nextOccurrences: ownNextOccurrences(ports) }
  const app = mountFunctions([...WRITES, ...also], deps)

  function note(fields: object) {
    logged.push(fields)
  }
  async function deliverOne(event: CloudEvent) {
    const answer = await app.request('/dapr/events/task-events', {
      ...{ method: 'POST', body: JSON.stringify(event) },
      headers: { 'dapr-api-token': SIDECAR_TOKEN },
    })
    expect(await answer.json()).toEqual({ status: 'SUCCESS' })
  }

  function newUser(options: { timeZone?: string } = {}): Client {
    const id = systemIds.uuid()
    zones.set(id, options.timeZone ?? 'UTC')
    const send: Client['send'] = async (method, path, body, headers = {}) => {
      const answer = await app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${id}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const read = text === '' ? null : (JSON.parse(text) as unknown)
      return {
        ...{ status: answer.status, headers: answer.headers, body: read },
        ...{ task: read as TaskView, problem: read as Got['problem'] },
      }
    }
    const does: Client['does'] = async (method, path, body, headers) => {
      const got = await send(method, path, body, headers)
      if (got.status >= 300) throw new Error(`${method} ${path}: ${got.status} ${JSON.stringify(got.body)}`)
      return got.task
    }
    return {
      ...{ id, send, does },
      create: (input = {}) => does('POST', '/api/tasks', { title: 'Pay rent', ...input }),
      events: (after = 0) => sql<HappenedEvent[]>`
        select seq, type, subject, source, data, traceparent from events
        where user_id = ${id} and seq > ${after} order by seq`,
    }
  }

  const at: TaskService['at'] = (instant) => void (now = new Date(instant))
  const deliver: TaskService['deliver'] = async () => {
    while ((await deps.outbox.backlog()).waiting > 0) await publishPending(deps)
  }
  const next: TaskService['next'] = async (user, id, instant) => {
    if (instant) at(instant)
    await user.does('POST', `/api/tasks/${id}/complete`)
    const seen = (await user.events()).at(-1)?.seq
    await deliver()
    const made = (await user.events(seen)).find(({ type }) => type === 'task.occurrence.generated')
    return made?.data.task
  }

  beforeEach(() => at(START))
  afterEach(async () => expect(await faultsInTheBooks(sql)).toEqual([]))
  return {
    ...{ sql, deps, app, newUser, at, deliver, next, published, logged },
    wakes: () => woken,
  }
}
