import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../shared/db/connect.ts'
import { TOPICS } from '../../shared/domain/event-definition.ts'
import { systemIds } from '../../shared/kit/system.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { Report } from './client.ts'
import { checkReplay, checkUser, type Violation } from './oracle.ts'
import { createRandom, type Random } from './random.ts'
import { startRealDaybook, type RealDaybook } from './real-daybook.ts'
import type { EventRow } from './series-model.ts'

interface Person {
  id: string
  token: string
  reports: Report[]
}

const RULES = ['daily', 'FREQ=DAILY;INTERVAL=3', 'FREQ=WEEKLY;BYDAY=MO,TH']
const PEOPLE = 3
const EVENT_TOPICS = TOPICS.filter((topic) => topic !== 'dlq-events')
const REST_WITHIN_MS = 60_000
/** The promise for the next occurrence in the worst case, and some time for the commands. */
const FLOWS_WITHIN_MS = 40_000

/**
 * People complete their recurring tasks over HTTP, one after the other and without a break, while Daybook is killed
 * (SIGKILL) at random moments and started again on the same data. Then the same oracle as in the simulation judges.
 */
export async function killRealProcesses(kills: number, tell: (line: string) => void): Promise<Violation[]> {
  const violations: Violation[] = []
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-kill-'))
  chmodSync(dataDir, 0o755)
  const daybook = startRealDaybook(dataDir)
  const random = createRandom(Date.now())
  try {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, nth) => arrive(daybook, nth)))
    const work = { isOver: false }
    const busy = people.flatMap((person) =>
      RULES.map((_, nth) => beBusy(daybook, { person, nth, random, work })),
    )
    for (let kill = 1; kill <= kills; kill += 1) {
      await daybook.url()
      // Every third while it is still finding its feet, the others in full flow.
      if (kill % 3 === 1) await delay(random.below(500))
      else await untilFurther(people, 10 + random.below(40))
      const victim = kill % 4 === 0 ? 'machine' : 'process'
      const done = commandsOf(people)
      await daybook.kill(victim)
      const killedAt = Date.now()
      await daybook.url()
      const readyMs = Date.now() - killedAt
      tell(`kill ${kill} of ${kills} (${victim}) after ${done} commands, back in ${readyMs} ms`)
    }
    work.isOver = true
    await Promise.all(busy)
    const sql = daybook.database()
    violations.push(...(await judge(daybook, sql, people)))
    await sql.end()
    const commands = people.flatMap(({ reports }) => reports)
    tell(
      `${commands.length} commands, ${commands.filter(({ answers }) => answers.length > 1).length} asked again`,
    )
    const code = await daybook.stop()
    if (code !== 0) violations.push({ rule: 'SIGTERM ends it in order', detail: `exit code ${code}` })
  } finally {
    await daybook.destroy()
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
  for (const { rule, detail } of violations) tell(`${rule}: ${detail}`)
  return violations
}

const commandsOf = (people: readonly Person[]): number => people.flatMap(({ reports }) => reports).length

/** Waits until people have done so many commands more. */
async function untilFurther(people: readonly Person[], commands: number): Promise<void> {
  const goal = commandsOf(people) + commands
  for (const end = Date.now() + FLOWS_WITHIN_MS; commandsOf(people) < goal; await delay(5)) {
    if (Date.now() > end) throw new Error(`${commands} commands take longer than ${FLOWS_WITHIN_MS} ms`)
  }
}

interface Request {
  method: 'GET' | 'POST'
  path: string
  token?: string
  headers?: Record<string, string>
  body?: object
}

/** Asks until there is an answer: again when the connection breaks, the server fails, or the first attempt still runs. */
async function ask(
  daybook: RealDaybook,
  request: Request,
): Promise<{ status: number; text: string; attempts: number }> {
  const { method, path, token, headers, body } = request
  for (let attempts = 1; ; attempts += 1) {
    try {
      const answer = await fetch(`${await daybook.url()}${path}`, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      })
      const text = await answer.text()
      if (answer.status < 500 && !text.includes('idempotency.in_flight')) {
        return { status: answer.status, text, attempts }
      }
    } catch (error) {
      if (!isNetworkError(error)) throw error
    }
    await delay(20)
  }
}

/** What `fetch` throws when a connection breaks or a deadline passes. */
const isNetworkError = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')

async function arrive(daybook: RealDaybook, nth: number): Promise<Person> {
  const account = { email: `person-${nth}@example.org`, password: 'correct horse battery staple' }
  const { text } = await ask(daybook, { method: 'POST', path: '/api/auth/register', body: account })
  const { access_token: token, user } = JSON.parse(text) as { access_token: string; user: { id: string } }
  return { id: user.id, token, reports: [] }
}

/** Creates a series and completes, or now and then skips, one occurrence of it after the other. */
async function beBusy(
  daybook: RealDaybook,
  { person, nth, random, work }: { person: Person; nth: number; random: Random; work: { isOver: boolean } },
): Promise<void> {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const input = {
    title: 'water the plants',
    recurrence_rule: RULES[nth],
    time_zone: 'Europe/Berlin',
    tags: ['home'],
    due_at: `${tomorrow}T09:00:00Z`,
  }
  const created = await command(daybook, person, { name: 'create', path: '/api/tasks', body: input })
  const { series_id: seriesId } = JSON.parse(created) as TaskView
  while (!work.isOver) {
    const [live] = await openTasks(daybook, person, seriesId)
    if (!live) {
      await delay(5)
      continue
    }
    const name = random.chance(0.2) ? 'skip' : 'complete'
    await command(daybook, person, { name, path: `/api/tasks/${live.id}/${name}` })
    await delay(random.below(80))
  }
}

/** Carries a command out with one Idempotency-Key, however often it has to be asked; resolves to the answer. */
async function command(
  daybook: RealDaybook,
  { id: userId, token, reports }: Person,
  { name, path, body }: { name: string; path: string; body?: object },
): Promise<string> {
  const traceId = systemIds.hex(16)
  const headers = { 'idempotency-key': systemIds.uuid(), traceparent: `00-${traceId}-${systemIds.hex(8)}-01` }
  const request: Request = { method: 'POST', path, token, headers, ...(body && { body }) }
  const { status, text, attempts } = await ask(daybook, request)
  const answers = [text]
  if (attempts > 1) answers.push((await ask(daybook, request)).text)
  const outcome = status < 300 ? 'accepted' : 'refused'
  reports.push({ command: { name, userId, method: 'POST', path }, traceId, outcome, status, answers })
  return text
}

async function openTasks(
  daybook: RealDaybook,
  { token }: Person,
  seriesId: string | null,
): Promise<TaskView[]> {
  const path = '/api/tasks?status=active&is_recurring=true&limit=200'
  const { text } = await ask(daybook, { method: 'GET', path, token })
  const { items } = JSON.parse(text) as { items: TaskView[] }
  return items.filter((task) => task.series_id === seriesId)
}

async function judge(daybook: RealDaybook, sql: Sql, people: readonly Person[]): Promise<Violation[]> {
  const violations: Violation[] = []
  const fault = (rule: string, detail: string) => violations.push({ rule, detail })
  if (!(await comesToRest(sql))) fault('everything comes to rest', 'events or messages are still waiting')
  for (const person of people) {
    const { events, replay } = await checkUser(sql, { userId: person.id, reports: person.reports }, fault)
    await checkReplay(sql, person.id, fault)
    await checkPublished(sql, person, events, fault)
    if (replay.sweeps > 0)
      fault('the event makes the next occurrence', `the sweep had to make ${replay.sweeps}`)
    for (const { id } of replay.series.values()) {
      const open = await openTasks(daybook, person, id)
      if (open.length !== 1) fault('one open task per active series', `${id} shows ${open.length}`)
    }
    const refused = person.reports.filter(({ outcome }) => outcome !== 'accepted')
    if (refused.length > 0)
      fault('every command is accepted', refused.map(({ answers }) => answers[0]).join())
  }
  return violations
}

/** Waits until all events are published, all messages are done and every series has its open occurrence. */
async function comesToRest(sql: Sql): Promise<boolean> {
  for (const end = Date.now() + REST_WITHIN_MS; Date.now() < end; await delay(50)) {
    const [row] = await sql<{ waiting: number }[]>`
      select (select count(*) from outbox)
        + (select count(*) from dapr.parked)
        + (select count(*) from dapr.consumers c join dapr.topics t on t.id = c.topic_id
          where c.next_offset < t.next_offset)
        + (select count(*) from series where state = 'active' and live_task_id is null) as waiting`
    if (row!.waiting === 0) return true
  }
  return false
}

/** The topics of the embedded sidecar hold every event, first copies in sequence. */
async function checkPublished(
  sql: Sql,
  { id: userId }: Person,
  events: readonly EventRow[],
  fault: (rule: string, detail: string) => void,
): Promise<void> {
  const rows = await sql<{ topic: string; sequence: number }[]>`
    select t.name as topic, (m.body::jsonb ->> 'sequence')::bigint as sequence
    from dapr.messages m join dapr.topics t on t.id = m.topic_id
    where m.key = ${userId} and t.name in ${sql(EVENT_TOPICS)} order by m.message_offset`
  const firsts = (topic: string) => [
    ...new Set(rows.filter((row) => row.topic === topic).map((row) => row.sequence)),
  ]
  for (const topic of EVENT_TOPICS) {
    const found = firsts(topic)
    if (found.some((seq, index) => index > 0 && seq < found[index - 1]!)) {
      fault('published in sequence', `${topic}: ${found.join()}`)
    }
  }
  const published = new Set(rows.map((row) => row.sequence))
  const missing = events.filter(({ seq }) => !published.has(seq))
  if (missing.length > 0) fault('every event is published', missing.map(({ seq }) => seq).join())
}
