import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../shared/db/connect.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import { drawCommand, type Command } from '../faults/commands.ts'
import type { Random } from '../faults/random.ts'
import { ask, carryOut, type Person } from './client.ts'
import { drawReminder, isLasting, shortlyAhead } from './reminder-load.ts'

/** What people at work share. */
export interface Work {
  url: string
  sql: Sql
  isOver: boolean
}

/** From the completion of an occurrence to the sight of the next one, in ms since the epoch. */
export interface Round {
  begunAt: number
  endedAt: number
}

const ONE_OFF = 0.3
const REMINDER = 0.3
const ON_RECURRING = 0.3
const AFTER_FAILURE_MS = 200

/** Does one thing after the other until the work is over: recurring tasks mostly, plain ones, and reminders of both. */
export async function beBusy(work: Work, person: Person, random: Random): Promise<void> {
  while (!work.isOver) {
    const command = await draw(work, person, random)
    if (command) await carryOut(work.url, person, command, random)
    await delay(random.below(120))
  }
}

/** What to do next, or null while the database is away, which draws nothing. */
async function draw(work: Work, person: Person, random: Random): Promise<Command | null> {
  if (random.chance(REMINDER)) {
    const onRecurring = random.chance(ON_RECURRING)
    return drawReminder(person, await openTasks(work.url, person, onRecurring), random)
  }
  if (random.chance(ONE_OFF)) return await drawPlain(work, person, random)
  const source = { random, sql: work.sql, now: Date.now(), scheduler: { outside: outsideOfNothing } }
  try {
    return await drawCommand(source, person.id)
  } catch {
    await delay(AFTER_FAILURE_MS)
    return null
  }
}

const outsideOfNothing = <T>(run: () => T): T => run()

async function drawPlain({ url }: Work, person: Person, random: Random): Promise<Command> {
  const userId = person.id
  const plain = (await openTasks(url, person, false)).filter((task) => !isLasting(task) || random.chance(0.1))
  if (plain.length < 3 || random.chance(0.2)) {
    const reminder = random.chance(0.3) ? { remind_at: shortlyAhead(random) } : {}
    const body = { title: `buy milk ${random.below(1000)}`, tags: random.pick([[], ['errand']]), ...reminder }
    return { name: 'create', userId, method: 'POST', path: '/api/tasks', body }
  }
  const task = random.pick(plain)
  const path = `/api/tasks/${task.id}`
  const ifMatch = random.chance(0.3) ? { ifMatch: task.version } : {}
  return random.pick<Command>([
    { name: 'complete', userId, method: 'POST', path: `${path}/complete`, ...ifMatch },
    {
      name: 'retitle',
      userId,
      method: 'PATCH',
      path,
      ...ifMatch,
      body: { title: `buy bread ${random.below(1000)}` },
    },
    { name: 'delete', userId, method: 'DELETE', path, ...ifMatch },
  ])
}

/** Completes one daily task after the other and notes how long each next one takes: what a person feels of a disturbance. */
export async function watchFlow(
  work: Work,
  person: Person,
  { random, rounds }: { random: Random; rounds: Round[] },
): Promise<void> {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  await carryOut(
    work.url,
    person,
    {
      name: 'create',
      userId: person.id,
      method: 'POST',
      path: '/api/tasks',
      body: {
        title: 'feed the cat',
        recurrence_rule: 'daily',
        due_at: `${tomorrow}T09:00:00Z`,
        time_zone: 'UTC',
      },
    },
    random,
  )
  let [live] = await openTasks(work.url, person, true)
  while (!work.isOver && live) {
    const begunAt = Date.now()
    const path = `/api/tasks/${live.id}/complete`
    await carryOut(work.url, person, { name: 'complete', userId: person.id, method: 'POST', path }, random)
    do {
      await delay(30)
      ;[live] = await openTasks(work.url, person, true)
    } while (!live && !work.isOver)
    if (live) rounds.push({ begunAt, endedAt: Date.now() })
    await delay(100)
  }
}

async function openTasks(url: string, person: Person, isRecurring: boolean): Promise<TaskView[]> {
  const path = `/api/tasks?status=active&is_recurring=${isRecurring}&limit=50`
  const { text } = await ask(url, person, { method: 'GET', path })
  return (JSON.parse(text) as { items: TaskView[] }).items
}
