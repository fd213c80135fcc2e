import type { Request } from 'autocannon'
import { setTimeout as delay } from 'node:timers/promises'
import { inheritedEnvironment } from '../shared/config.ts'
import { figuresOf, measure, type Figures } from './measure.ts'
import { startServer, type Person, type Server } from './reminders/server.ts'
import { report } from './report.ts'

const WHOLE = { backlog: 30_000, successors: 6000, seconds: 10 }
/** Shows within a minute whether all of it works; says nothing about speed. */
const TRIAL = { backlog: 500, successors: 100, seconds: 1 }
const CONNECTIONS = 20
/** First half of the lock that a publisher holds on a user (shared/db/outbox/outbox.ts). */
const PUBLISH_LOCK = 7_246_003

/**
 * What follows from the writes of one user: how fast a backlog of events is published, how fast completed occurrences
 * get their successors, and what creates cost while somebody leaves a transaction open in the same database.
 */
export async function run(): Promise<void> {
  const isTrial = inheritedEnvironment()['BENCH_TRIAL'] === 'true'
  const plan = isTrial ? TRIAL : WHOLE
  const server = await startServer()
  try {
    const [ann, bob, cem] = (await server.people(3)) as [Person, Person, Person]
    const figures = [
      ...(await besideOpenTransaction(server, ann, plan.seconds)),
      await backlogOfEvents(server, bob, plan.backlog),
      ...(await successors(server, cem, plan.successors)),
    ]
    report(
      'flow',
      {
        versions: { node: process.versions.node, postgresql: '18.4', daybook: '0.1.0' },
        dataset: 'Each line is about one user, who had nothing before; default durability.',
        figures,
        notes: [],
      },
      isTrial,
    )
  } finally {
    await server.stop()
  }
}

async function besideOpenTransaction(server: Server, person: Person, seconds: number): Promise<Figures[]> {
  const create = (name: string) =>
    told(
      measure(name, {
        url: server.url,
        connections: CONNECTIONS,
        seconds,
        next: () => writeTask(person, { title: 'Buy milk', tags: ['home'] }),
      }),
    )
  const before = await create('create, one user')
  return await server.sql.begin('isolation level repeatable read', async (tx) => {
    await tx`select from events limit 1`
    return [
      before,
      await create('create, one user, beside an open transaction'),
      await create('the same, later'),
    ]
  })
}

/** So many events of a user, written while nobody may publish them. */
async function backlogOfEvents(server: Server, person: Person, count: number): Promise<Figures> {
  await ask(server, writeTask(person, { title: 'Buy milk' }))
  await published(server)
  return await backlog(server, person, `publish the backlog of one user`, {
    prepare: async () => {
      await server.sql`
        with last as (select * from events where user_id = ${person.id} order by seq desc limit 1),
          written as (
            insert into events (user_id, seq, id, type, dataversion, source, subject, time, data, traceparent, tracestate)
            select last.user_id, last.seq + n, uuidv7(), type, dataversion, source, subject, time, data, traceparent, tracestate
            from last, generate_series(1, ${count}) n returning user_id, seq, time)
        insert into outbox select user_id, seq, time from written`
      await server.sql`
        update user_counters set last_seq = last_seq + ${count} where user_id = ${person.id}`
    },
    count,
    isDone: async () => (await server.waitingEvents()) === 0,
  })
}

async function successors(server: Server, person: Person, count: number): Promise<Figures[]> {
  // Each task would get a reminder of its own beside.
  await ask(server, {
    ...writeTask(person, { default_reminder_minutes: null }),
    method: 'PUT',
    path: '/api/notifications/preferences',
  })
  const ids = await inParallel(count, async (n) => {
    const due = new Date(Date.UTC(2030, 0, 1, 9, 0, n % 60)).toISOString()
    const body = { title: `Daily ${n}`, due_at: due, recurrence_rule: 'daily' }
    return (await ask<{ id: string }>(server, writeTask(person, body))).id
  })
  await published(server)
  const started = performance.now()
  const passed = () => (performance.now() - started) / 1000
  const latencies: number[] = []
  await inParallel(count, async (n) => {
    const from = performance.now()
    await ask(server, { method: 'POST', path: `/api/tasks/${ids[n]}/complete`, headers: bearer(person) })
    latencies.push(performance.now() - from)
  })
  const completions = figuresOf('complete, one user', {
    connections: CONNECTIONS,
    seconds: passed(),
    latencies,
    failed: 0,
  })
  await told(Promise.resolve(completions))
  const made = async () => {
    const [row] = await server.sql<{ made: number }[]>`
      select count(*)::int as made from events where user_id = ${person.id} and type = 'task.occurrence.generated'`
    return row!.made
  }
  while ((await made()) < count) await delay(100)
  const followed = await told(
    Promise.resolve(every('successors of one user, while they are completed and after', count, passed())),
  )
  const [row] = await server.sql<{ asCompleted: boolean }[]>`
    select array_agg(series order by made) = array_agg(series order by completed) as "asCompleted" from (
      select data -> 'task' ->> 'series_id' as series, max(seq) filter (where type = 'task.completed') as completed,
        max(seq) filter (where type = 'task.occurrence.generated') as made
      from events where user_id = ${person.id} group by 1) each`
  if (!row!.asCompleted) throw new Error('the successors were not made in the order of the completions')
  return [completions, followed]
}

/** How long it takes to do what waited because nobody could publish for the user. */
async function backlog(
  server: Server,
  person: Person,
  name: string,
  work: { prepare: () => Promise<void>; count: number; isDone: () => Promise<boolean> },
): Promise<Figures> {
  const lock = await server.sql.reserve()
  await lock`select pg_advisory_lock(${PUBLISH_LOCK}, hashtext(${person.id}))`
  await work.prepare()
  await lock`select pg_advisory_unlock(${PUBLISH_LOCK}, hashtext(${person.id}))`
  lock.release()
  const started = performance.now()
  // A commit wakes the publisher.
  await ask(server, writeTask(person, { title: 'Buy milk' }))
  while (!(await work.isDone())) await delay(20)
  return await told(Promise.resolve(every(name, work.count, (performance.now() - started) / 1000)))
}

/** Of what is only known as a whole. */
const every = (name: string, count: number, seconds: number): Figures =>
  figuresOf(name, {
    connections: 1,
    seconds,
    latencies: Array.from({ length: count }, () => (seconds * 1000) / count),
    failed: 0,
  })

async function told(measuring: Promise<Figures>): Promise<Figures> {
  const figures = await measuring
  console.log(`${figures.name.padEnd(50)} ${String(figures.perSecond).padStart(6)}/s`)
  return figures
}

async function published(server: Server): Promise<void> {
  while ((await server.waitingEvents()) > 0) await delay(100)
}

async function inParallel<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const n = next++
      results[n] = await work(n)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  return results
}

const bearer = ({ token }: Person) => ({ authorization: `Bearer ${token}` })

const writeTask = (person: Person, body: object): Request => ({
  method: 'POST',
  path: '/api/tasks',
  headers: { ...bearer(person), 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

async function ask<T>(server: Server, { path, method, headers, body }: Request): Promise<T> {
  const answer = await fetch(`${server.url}${path}`, {
    ...(method && { method }),
    headers: headers as Record<string, string>,
    ...(body !== undefined && { body }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}
