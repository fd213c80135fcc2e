import { randomUUID } from 'node:crypto'
import { figuresOf, type Figures } from '../measure.ts'
import { asFastAs, paced, until } from './load.ts'

const USERS = 20
/** Each completion is two events: itself, and the next occurrence that a consumer makes of it. */
const PACE = { perSecond: 50, seconds: 20 }
const BURST = 1000

interface User {
  token: string
  tasks: string[]
}
interface Event {
  sequence: string
  type: string
  time: string
  data: { task?: { series_id: string | null } }
}

/**
 * Completed recurring tasks until their next occurrence is there, made by a consumer of the event: at a steady pace, and
 * as fast as they can be completed. The latency is between the times of the two events.
 */
export async function measureEffects(name: string, url: string): Promise<Figures[]> {
  const users: User[] = []
  // One after the other: so many at once would be taken for an attack.
  while (users.length < USERS) users.push(await register(url))
  const total = PACE.perSecond * PACE.seconds
  await seed(url, users, (total + BURST) / USERS)
  const complete = (index: number) => {
    const user = users[index % USERS]!
    return send(url, `POST /api/tasks/${user.tasks.pop()}/complete`, user.token)
  }
  const steady = await effects(users, async () => await paced(PACE.perSecond, PACE.seconds, complete))
  const burst = await effects(users, async () => {
    let next = 0
    const client = async () => {
      while (next < BURST) await complete(next++)
    }
    await Promise.all(Array.from({ length: USERS }, client))
  })
  return [
    figuresOf(`${name}: event to effect, ${2 * PACE.perSecond} events/s`, {
      connections: USERS,
      seconds: PACE.seconds,
      latencies: steady.latencies,
      failed: total - steady.latencies.length,
    }),
    figuresOf(`${name}: event to effect, burst of ${BURST}`, {
      connections: USERS,
      seconds: burst.seconds,
      latencies: burst.latencies,
      failed: BURST - burst.latencies.length,
    }),
  ]

  async function effects(of: User[], work: () => Promise<void>) {
    const seen = await Promise.all(
      of.map(async (user) => (await changes(url, user.token, null)).at(-1)?.sequence ?? null),
    )
    const started = performance.now()
    await work()
    let events: Event[] = []
    await until(async () => {
      events = (await Promise.all(of.map((user, index) => changes(url, user.token, seen[index]!)))).flat()
      return count(events, 'task.occurrence.generated') === count(events, 'task.completed')
    }, 120)
    const seconds = (performance.now() - started) / 1000
    const times = (type: string) =>
      new Map(
        events
          .filter((event) => event.type === type)
          .map((e) => [e.data.task?.series_id, Date.parse(e.time)]),
      )
    const made = times('task.occurrence.generated')
    const latencies = [...times('task.completed')].flatMap(([series, at]) => {
      const then = made.get(series)
      return then === undefined ? [] : [then - at]
    })
    return { latencies, seconds }
  }
}

/** One request through the gateway and service invocation, and the same straight to the unit that serves it. */
export async function measureInvocation(gateway: string, unit: string, seconds: number): Promise<Figures[]> {
  const { token } = await register(gateway)
  const { id } = (await send(gateway, 'POST /api/tasks', token, { title: 'Read' })) as { id: string }
  const get = (url: string) => async () => {
    const answer = await fetch(`${url}/api/tasks/${id}`, { headers: { authorization: `Bearer ${token}` } })
    await answer.body?.cancel()
    return answer.ok
  }
  return [
    await asFastAs('get a task, straight from tasks-api', { connections: 1, seconds, work: get(unit) }),
    await asFastAs('get a task, by service invocation', { connections: 1, seconds, work: get(gateway) }),
    await asFastAs('get a task, straight from tasks-api', { connections: 20, seconds, work: get(unit) }),
    await asFastAs('get a task, by service invocation', { connections: 20, seconds, work: get(gateway) }),
  ]
}

const count = (events: Event[], type: string): number => events.filter((event) => event.type === type).length

async function register(url: string): Promise<User> {
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID(), time_zone: 'UTC' }
  const { access_token } = (await send(url, 'POST /api/auth/register', null, account)) as {
    access_token: string
  }
  return { token: access_token, tasks: [] }
}

async function seed(url: string, users: User[], perUser: number): Promise<void> {
  const task = { title: 'Water plants', due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' }
  await Promise.all(
    users.map(async (user) => {
      for (let index = 0; index < perUser; index += 1) {
        const { id } = (await send(url, 'POST /api/tasks', user.token, task)) as { id: string }
        user.tasks.push(id)
      }
    }),
  )
}

async function changes(url: string, token: string, after: string | null): Promise<Event[]> {
  const all: Event[] = []
  for (let since = after ?? '0'; ; since = all.at(-1)!.sequence) {
    const route = `GET /api/changes?since=${since}&limit=500`
    const { items } = (await send(url, route, token)) as { items: Event[] }
    all.push(...items)
    if (items.length === 0) return all
  }
}

/** The answer's JSON; anything but a success throws. */
async function send(url: string, route: string, token: string | null, body?: unknown): Promise<unknown> {
  const [method, path] = route.split(' ') as [string, string]
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${route} answered ${answer.status}: ${text.slice(0, 300)}`)
  return text === '' ? null : JSON.parse(text)
}
