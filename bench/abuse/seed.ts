import { setTimeout as delay } from 'node:timers/promises'
import type { ComposedDeps } from '../../functions/compose.ts'
import { createTask } from '../../shared/app/tasks/create-task.ts'
import { fireDue } from '../../shared/app/reminders/fire-reminders.ts'
import type { Sql } from '../../shared/db/connect.ts'
import { DAY_MS } from '../../shared/domain/durations.ts'
import { TaskInput } from '../../shared/domain/tasks/task.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { copyIdOf, copyRows } from './copies.ts'

export interface Attacker {
  id: string
  token: string
}

export interface Stored {
  owner: Attacker
  count: number
  tasks: keyof typeof TASKS
}

const STORM_AHEAD_MS = 500
/** So long it takes to set a job, or less. */
const SET_JOB_MS = 2
const AT_ONCE = 20

/**
 * What attackers have stored before they attack: the first task of each is made by the product, the others are copies of it
 * that skip its limits and leave no events to be published.
 */
export function createSeed(deps: ComposedDeps, sql: Sql) {
  const writeAs = async (token: string) => {
    const actor = await deps.authenticate(token)
    const client = { address: null, agent: null }
    return {
      actor,
      client,
      now: deps.clock.now(),
      trace: null,
      ifMatch: null,
      ifNoneMatch: [],
      idempotency: null,
    }
  }
  const create = async (token: string, input: object) => {
    const { body } = await createTask(deps, await writeAs(token), TaskInput.parse(input))
    return body
  }
  return {
    attackers: async (count: number): Promise<Attacker[]> => {
      const ids = Array.from({ length: count }, () => deps.ids.uuid())
      await sql`
        insert into users (id, email, password_hash, time_zone, created_at)
        select id::uuid, id || '@attack.example', 'none', 'UTC', now() from unnest(${ids}::text[]) id`
      const issue = async (userId: string) => (await openSession(deps, userId)).token
      return Promise.all(ids.map(async (id) => ({ id, token: await issue(id) })))
    },
    store: async ({ owner, count, tasks }: Stored): Promise<void> => {
      const task = await create(owner.token, TASKS[tasks].first)
      const [id, copy] = [`'${task.id}'`, copyIdOf(task.id)]
      const copied = (table: string, where: string, changes: Record<string, string>) =>
        copyRows(sql, { table, where, changes, count: count - 1 })
      await copied('tasks', `id = ${id}`, { id: copy, ...TASKS[tasks].others })
      await copied('reminders', `task_id = ${id}`, { id: 'uuidv7()', task_id: copy })
      const first = `user_id = '${owner.id}' and seq = 1`
      await copied('events', first, { id: 'uuidv7()', seq: 'seq + 1000000 + n' })
    },
    /** A daily task with so many completed occurrences; resolves to the open one. */
    history: async ({ owner, count }: { owner: Attacker; count: number }): Promise<string> => {
      const due = new Date(deps.clock.now().getTime() + DAY_MS).toISOString()
      const { id } = await create(owner.token, { title: 'Daily', recurrence_rule: 'daily', due_at: due })
      const copy = copyIdOf(id)
      const earlier = `occurrence_at - n * interval '1 day'`
      await copyRows(sql, {
        table: 'tasks',
        where: `id = '${id}'`,
        count,
        changes: { id: copy, occurrence_at: earlier, completed_at: 'now()' },
      })
      await copyRows(sql, {
        table: 'occurrences',
        where: `task_id = '${id}'`,
        count,
        changes: { occurrence_at: earlier, task_id: copy, state: `'completed'`, closed_at: 'now()' },
      })
      return id
    },
    /** Makes all reminders of these users due at once: half a second after all their jobs were set. */
    storm: async (users: string[]): Promise<void> => {
      const reminders = await sql<{ id: string }[]>`
        select id from reminders where user_id = any(${users}::uuid[])`
      const at = new Date(deps.clock.now().getTime() + STORM_AHEAD_MS + reminders.length * SET_JOB_MS)
      await sql`update reminders set fire_at = ${at}, remind_at = ${at} where user_id = any(${users}::uuid[])`
      await eachOf(reminders, ({ id }) => deps.alarms.set(id, at))
      const leftMs = at.getTime() - deps.clock.now().getTime()
      // As the timer of the process does, which has looked before these rows were changed.
      setTimeout(() => void fireDue(deps, 'cron/sweep-reminders').catch(() => {}), Math.max(0, leftMs))
      await delay(Math.max(0, leftMs - STORM_AHEAD_MS))
    },
    /** What is still to be done for anybody: events to publish, deliveries and reminders that are due. */
    waiting: async (): Promise<number> => {
      const [row] = await sql<[{ waiting: number }]>`
        select ((select count(*) from outbox) + (select count(*) from deliveries where next_attempt_at < now())
          + (select count(*) from reminders where fire_at < now()))::int as waiting`
      return row.waiting
    },
  }
}

/** As many words as fit into 5,000 characters, and nobody else has them; without digits, which are never misspelt. */
const UNKNOWN_WORDS = `(select string_agg(translate(left(md5(id || ' ' || n || ' ' || word), 9),
  '0123456789', 'ghijklmnop'), ' ') from generate_series(1, 500) word)`

const TASKS = {
  long: { first: { title: 'A long note' }, others: { description: UNKNOWN_WORDS } },
  /** As large as a task may be: nearly 20 kB of UTF-8. */
  fat: {
    first: {
      title: '字'.repeat(255),
      description: '字'.repeat(5000),
      tags: Array.from({ length: 20 }, (_, tag) => `${tag} ${'字'.repeat(46)}`),
    },
    others: {},
  },
  reminded: { first: { title: 'Storm', remind_at: '2100-01-01T00:00:00Z' }, others: {} },
}

/** So many at once, until all are done. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
