import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../shared/config.ts'
import { readArguments } from '../shared/arguments.ts'

// A narrated run against a running Daybook: `npm start` in one terminal, `npm run demo` in another.
readArguments('npm run demo', {})
const { http, publicUrl } = readConfig()
const base = publicUrl ?? `http://${http.host}:${http.port}`
const ZONE = 'Europe/Berlin'
/** The Monday two weeks before the clocks of Berlin go forward on 28 March 2027. */
const FIRST_DUE = '2027-03-15T08:00:00.000Z'

interface Task {
  id: string
  title: string
  due_at: string
  version: number
  series_id: string
}
interface Occurrence {
  occurrence_at: string
  state: string
  task_id: string | null
}

let token = ''

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'idempotency-key': randomUUID() }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (token) headers['authorization'] = `Bearer ${token}`
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  const response = await fetch(new URL(path, base), init).catch(() => {
    say(
      `There is no Daybook at ${base}. Start one with \`npm start\` or \`npm run start:dapr\` in another terminal,`,
    )
    say('or set PORT (PUBLIC_URL) here to that of the one that runs.')
    process.exit(1)
  })
  const answer = (await response.json()) as T & { detail?: string }
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.detail ?? ''}`)
  return answer
}

const say = (line = '') => process.stdout.write(`${line}\n`)

const local = (instant: string) =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone: ZONE,
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(new Date(instant))

/** The open occurrence of the series once it is another than `previous`; it is made by a consumer, moments later. */
async function nextOccurrence(previous: Task): Promise<Task> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { history } = await call<{ history: Occurrence[] }>('GET', `/api/tasks/${previous.id}/occurrences`)
    const open = history.find(({ state, task_id }) => state === 'open' && task_id !== previous.id)
    if (open?.task_id) return call<Task>('GET', `/api/tasks/${open.task_id}`)
    await delay(25)
  }
  throw new Error('no next occurrence appeared within five seconds')
}

say(`1. Register with the Daybook at ${base}.`)
const email = `demo-${randomUUID()}@example.com`
const session = await call<{ access_token: string; user: { id: string } }>('POST', '/api/auth/register', {
  email,
  password: randomUUID(),
  time_zone: ZONE,
})
token = session.access_token
say(`   user ${session.user.id}`)
say()
say('2. Water the plants every Monday at nine in Berlin. The clocks go forward on 28 March 2027.')
let task = await call<Task>('POST', '/api/tasks', {
  title: 'Water plants',
  priority: 'high',
  tags: ['home'],
  recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO',
  due_at: FIRST_DUE,
  time_zone: ZONE,
})
say(`   due ${task.due_at}  =  ${local(task.due_at)}`)
say()
say(
  '3. Complete it four times. Each completion publishes task.completed; a consumer makes the next occurrence.',
)
for (let round = 1; round <= 4; round += 1) {
  const started = performance.now()
  await call('POST', `/api/tasks/${task.id}/complete`)
  const next = await nextOccurrence(task)
  const tookMs = Math.round(performance.now() - started)
  say(`   completed ${local(task.due_at)}   next ${next.due_at}  =  ${local(next.due_at)}   (${tookMs} ms)`)
  task = next
}
say()
say('4. Complete the same one twice at once, as two impatient clients would: still one next occurrence.')
await Promise.all([
  call('POST', `/api/tasks/${task.id}/complete`),
  call('POST', `/api/tasks/${task.id}/complete`),
])
await nextOccurrence(task)
const { history } = await call<{ history: Occurrence[] }>('GET', `/api/tasks/${task.id}/occurrences`)
for (const { occurrence_at, state } of history.toReversed()) say(`   ${local(occurrence_at)}  ${state}`)
say()
say('5. The events that flowed, in the order of their sequence.')
const changes = await call<{ items: { sequence: string; type: string; subject: string; time: string }[] }>(
  'GET',
  '/api/changes',
)
for (const event of changes.items) {
  say(
    `   ${Number(event.sequence).toString().padStart(3)}  ${event.time}  ${event.type.padEnd(26)} ${event.subject}`,
  )
}
