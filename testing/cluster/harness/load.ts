import { setTimeout as delay } from 'node:timers/promises'
import type { TaskView } from '../../../shared/domain/tasks/task.ts'
import { systemIds } from '../../../shared/kit/system.ts'
import type { Sql } from '../../../shared/db/connect.ts'
import type { Person } from '../../chaos/client.ts'
import { createApiClient } from '../../worlds/api-client.ts'
import type { Command } from '../../faults/commands.ts'
import { checkReplay, checkUser, type Fault, type Violation } from '../../faults/oracle.ts'
import { createRandom, type Random } from '../../faults/random.ts'
import { until } from './pods.ts'

export interface Load {
  people: readonly Person[]
  /** Each request that did not get an answer of success, with what it got. */
  failed: readonly string[]
  /** How long each request took, in ms. */
  waits: readonly number[]
  /** Lets everyone finish what they are at. */
  end(): Promise<void>
}

interface LoadOptions {
  people: number
  pauseMs: number
  /** Sends a write again, with its key, until it is answered. Without it each request is sent once. */
  isPatient?: boolean
}

interface Sent {
  method: string
  path: string
  headers?: Record<string, string>
  body?: object
}

const GIVES_UP_MS = 60_000
const AGAIN_MS = 250
const READS = 0.55

/** People who work one request after the other, each on tasks of their own, and write down what they were told. */
export async function startLoad(
  url: string,
  { people: count, pauseMs, isPatient = false }: LoadOptions,
): Promise<Load> {
  const api = createApiClient((path, init) => fetch(url + path, init))
  const people = await Promise.all(
    Array.from({ length: count }, async (): Promise<Person> => {
      const { id, email, token } = await api.register()
      return { id, email, token, reports: [], hollow: [], waits: [] }
    }),
  )
  const failed: string[] = []
  const waits: number[] = []
  const over = new AbortController()

  async function send(person: Person, { method, path, headers = {}, body }: Sent) {
    const begun = performance.now()
    try {
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${person.token}`,
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(GIVES_UP_MS),
      })
      const text = await answer.text()
      if (answer.status >= 300) failed.push(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`)
      return { status: answer.status, text }
    } catch (error) {
      failed.push(`${method} ${path}: ${String(error)} ${String((error as Error).cause)}`)
      return { status: 0, text: '' }
    } finally {
      waits.push(performance.now() - begun)
    }
  }

  async function write(person: Person, command: Command): Promise<string> {
    const traceId = systemIds.hex(16)
    const headers = {
      'idempotency-key': systemIds.uuid(),
      traceparent: `00-${traceId}-${systemIds.hex(8)}-01`,
    }
    const { method, path, body } = command
    const request = { method, path, headers, ...(body && { body }) }
    let answer = await send(person, request)
    const end = isPatient ? Date.now() + GIVES_UP_MS : 0
    while (!isFinal(answer) && Date.now() < end) {
      await delay(AGAIN_MS)
      answer = await send(person, request)
    }
    const { status, text } = answer
    const isAccepted = status >= 200 && status < 300
    const outcome = isAccepted ? 'accepted' : status >= 400 && status < 500 ? 'refused' : 'unknown'
    person.reports.push({ command, traceId, status, outcome, answers: isAccepted ? [text] : [] })
    return isAccepted ? text : ''
  }

  async function work(person: Person, random: Random): Promise<void> {
    const open: string[] = []
    while (!over.signal.aborted) {
      const command = draw(person, open, random)
      if (command === null) await send(person, { method: 'GET', path: '/api/tasks?limit=20' })
      else {
        const text = await write(person, command)
        if (command.name === 'create' && text !== '') open.push((JSON.parse(text) as TaskView).id)
      }
      await delay(pauseMs)
    }
  }

  const working = Promise.all(people.map((person, nth) => work(person, createRandom(nth))))
  return {
    people,
    failed,
    waits,
    end: async () => {
      over.abort()
      await working
    },
  }
}

const isFinal = ({ status, text }: { status: number; text: string }): boolean =>
  status > 0 && status < 500 && status !== 429 && !text.includes('in_flight')

/** What to do next; null to read. A completed task leaves the list. */
function draw({ id: userId }: Person, open: string[], random: Random): Command | null {
  if (random.chance(READS)) return null
  if (open.length < 3 || random.chance(0.5)) {
    const body = { title: `buy milk ${random.below(1000)}`, tags: random.pick([[], ['errand']]) }
    return { name: 'create', userId, method: 'POST', path: '/api/tasks', body }
  }
  const place = random.below(open.length)
  const path = `/api/tasks/${open[place]}`
  if (random.chance(0.5))
    return {
      name: 'retitle',
      userId,
      method: 'PATCH',
      path,
      body: { title: `buy bread ${random.below(1000)}` },
    }
  open.splice(place, 1)
  return { name: 'complete', userId, method: 'POST', path: `${path}/complete` }
}

/** What the tables and the events of these people say against what they were told; empty when all is well. */
export async function judge(sql: Sql, people: readonly Person[]): Promise<Violation[]> {
  const ids = people.map(({ id }) => id)
  const waiting = async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from outbox where user_id in ${sql(ids)}`
    return row!.count
  }
  await until('every event is published', async () => (await waiting()) === 0)
  const violations: Violation[] = []
  const fault: Fault = (rule, detail) => violations.push({ rule, detail })
  for (const { id: userId, reports } of people) {
    await checkUser(sql, { userId, reports }, fault)
    await checkReplay(sql, userId, fault)
  }
  return violations
}
