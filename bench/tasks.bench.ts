import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Request } from 'autocannon'
import { measure, type Figures } from './measure.ts'
import { report } from './report.ts'
import { HEAVY_TASKS, TASKS_PER_USER, USERS } from './seed-tasks.ts'
import { inheritedEnvironment } from '../shared/config.ts'

const SECONDS = Number(inheritedEnvironment()['BENCH_SECONDS'] ?? 8)

interface Dataset {
  heavyToken: string
  tokens: string[]
  openTasks: string[]
}

/** Create, complete, read, list and search, beside a bare `select 1` through the same server and pool. */
export async function run(): Promise<void> {
  const server = await startServer()
  try {
    console.log(`Loading the dataset took its time; measuring each line for ${SECONDS} s.`)
    const dataset = (await (await fetch(`${server.url}/bench/dataset`)).json()) as Dataset
    report('tasks', {
      versions: { node: process.versions.node, postgresql: '18.4', daybook: '0.1.0' },
      dataset: `${HEAVY_TASKS} tasks of one user, ${USERS} users with ${TASKS_PER_USER} tasks each; default durability.`,
      ...(await measureAll(server.url, dataset)),
    })
  } finally {
    await server.stop()
  }
}

async function measureAll(url: string, { heavyToken, tokens, openTasks }: Dataset) {
  const figures: Figures[] = []
  const line = async (name: string, connections: number, next: () => Request) => {
    const measured = await measure(name, { url, connections, seconds: SECONDS, next })
    console.log(`${name.padEnd(44)} ${String(measured.perSecond).padStart(6)}/s  p95 ${measured.p95} ms`)
    figures.push(measured)
    return measured
  }
  const get = (path: string) => () => ({ method: 'GET', path, headers: bearer(heavyToken) })
  let turn = 0
  const create = (token: () => string) => () => ({
    method: 'POST',
    path: '/api/tasks',
    headers: { ...bearer(token()), 'content-type': 'application/json' },
    body: JSON.stringify({ title: `Task ${(turn += 1)}`, priority: 'high', due_at: '2027-05-01T09:00:00Z' }),
  })
  const anyUser = () => tokens[turn % tokens.length]!

  // How fast a rented machine is changes within minutes: hence in turn, and the middle of three comparisons.
  const floor = (name: string) => line(name, 50, () => ({ method: 'GET', path: '/bench/select-1' }))
  let before = await floor('select 1')
  const drained: Drained[] = []
  const shares: number[] = []
  for (const round of ['first', 'second', 'third']) {
    const created = await line(`create, 1,000 users, ${round}`, 50, create(anyUser))
    drained.push(await drain(url))
    const after = await floor(`select 1, after the ${round}`)
    shares.push(Math.round((created.perSecond / ((before.perSecond + after.perSecond) / 2)) * 100))
    before = after
  }
  await line('create, 1,000 users', 20, create(anyUser))
  await drain(url)
  await line(
    'create, one user',
    20,
    create(() => heavyToken),
  )
  await drain(url)
  await line('complete', 20, () => ({
    method: 'POST',
    path: `/api/tasks/${openTasks.pop()}/complete`,
    headers: bearer(heavyToken),
  }))
  await drain(url)
  const one = openTasks.at(-1)!
  await line('get one', 20, get(`/api/tasks/${one}`))
  await line('list: active, by due', 20, get('/api/tasks?status=active&sort_by=due_at&limit=20'))
  await line('list: active, page 100', 20, get('/api/tasks?status=active&sort_by=due_at&limit=20&page=100'))
  await line('list: priority and tag', 20, get('/api/tasks?priority=high&tags=home&limit=20'))
  await line(
    'list: due in one week',
    20,
    get(`/api/tasks?due_after=${days(1)}&due_before=${days(8)}&limit=20`),
  )
  await line('list: by title', 20, get('/api/tasks?sort_by=title&limit=20'))
  await line('search: common word', 20, get('/api/tasks?q=report&limit=20'))
  await line('search: two words', 20, get('/api/tasks?q=report%20garden&limit=20'))
  await line('search: prefix', 20, get('/api/tasks?q=fin&limit=20'))
  await line('search: typo', 20, get('/api/tasks?q=invocie&limit=20'))
  await line(
    'search: word, priority and tag',
    20,
    get('/api/tasks?q=budget&priority=high&tags=work&limit=20'),
  )
  await line('tags', 20, get('/api/tags'))
  await floor('select 1, at the end')
  const middle = shares.toSorted((a, b) => a - b)[1]
  const floors = figures.filter(({ name }) => name.startsWith('select 1')).map(({ perSecond }) => perSecond)
  return {
    figures,
    notes: [
      `create with events runs at ${middle} % of the bare \`select 1\` rate just before and after it, at 50 connections (${shares.join(', ')} %)`,
      `the machine itself: ${Math.min(...floors)} to ${Math.max(...floors)} bare \`select 1\` a second in the course of the run`,
      `after the first create line, ${drained[0]?.waiting} events were waiting; published in ${drained[0]?.seconds} s`,
    ],
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString()

interface Drained {
  waiting: number
  seconds: number
}

/** Waits until the outbox is empty, so that the next line does not pay for the last one's events. */
async function drain(url: string): Promise<Drained> {
  const started = performance.now()
  const backlog = async () =>
    ((await (await fetch(`${url}/bench/backlog`)).json()) as { waiting: number }).waiting
  const waiting = await backlog()
  while ((await backlog()) > 0) await delay(100)
  return { waiting, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(directory, 0o755)
  console.log('Starting Daybook with 300,000 tasks …')
  const child = spawn(process.execPath, [new URL('./tasks-server.ts', import.meta.url).pathname], {
    env: {
      ...inheritedEnvironment(),
      PORT: '0',
      DAYBOOK_DATA_DIR: directory,
      LOG_LEVEL: 'error',
      RATE_LIMIT_PER_SECOND: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
  for await (const text of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)$/.exec(text)?.[1]
    if (url) return { url, stop }
  }
  await stop()
  throw new Error('the server of the benchmark did not start')
}
