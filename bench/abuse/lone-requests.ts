import { setTimeout as delay } from 'node:timers/promises'
import { BODIES, LONG_ORDER } from './bodies.ts'
import { createClient, type Ask } from './http.ts'
import { fatTasks, history, longNotes, type Stage } from './scenarios.ts'
import type { Watched } from './watch.ts'
import { randomWords } from './words.ts'

export interface LoneRequest {
  name: string
  status: number
  ms: number
  /** The longest stretch of processor time of the server's main thread. */
  busyMs: number
}

type Hostile = [name: string, method: string, path: string, ask: Ask]

/** What is left of an answer after it has gone: clean-up, publication. */
const REST_MS = 100
const TIMES = { whole: 3, short: 2 }

/**
 * The costliest requests that a user can make, one at a time while nobody else asks for anything, so that a long stretch
 * of the server's loop is the fault of that request. Each several times, and the shortest counts: the others may hold
 * a garbage collection. A search is cold each time, because it is another user's.
 */
export async function measureLoneRequests(stage: Stage, say: (line: string) => void): Promise<LoneRequest[]> {
  const client = createClient(stage.url, { connections: 1 })
  const hostile = await hostileRequests(stage)
  const measured: LoneRequest[] = []
  for (const rounds of hostile) {
    const each: LoneRequest[] = []
    for (const [name, method, path, ask] of rounds) {
      await stage.server.ask('rest')
      await stage.server.ask('watched')
      const { status, ms } = await client.ask(method, path, ask)
      await delay(REST_MS)
      const { busyMs } = await stage.server.ask<Watched>('watched')
      each.push({ name, status, ms: Math.round(ms), busyMs })
    }
    const shortest = each.toSorted((a, b) => a.busyMs - b.busyMs)[0]!
    const { name, status, ms, busyMs } = shortest
    say(`${name}: ${status} after ${ms} ms, loop busy for ${busyMs} ms`)
    measured.push(shortest)
  }
  await client.close()
  return measured
}

async function hostileRequests(stage: Stage): Promise<Hostile[][]> {
  const searchers = await longNotes(stage)
  const fat = (await fatTasks(stage)).tokens[0]!
  const series = await history(stage)
  const [token] = series.tokens
  const due = new Date(Date.now() + 60_000).toISOString()
  const severalTimes = (...[name, method, path, ask]: Hostile): Hostile[] =>
    Array.from({ length: stage.isShort ? TIMES.short : TIMES.whole }, () => [name, method, path, ask])
  const write = (name: string, body: string) => severalTimes(name, 'POST', '/api/tasks', { token, body })
  const search = (q: string) => `/api/tasks?q=${encodeURIComponent(q)}`
  return [
    searchers.tokens.map((searcher): Hostile => {
      const path = search(randomWords(12).join(' '))
      return ['search: 12 unknown words among long notes', 'GET', path, { token: searcher }]
    }),
    severalTimes('search: 1,000 words', 'GET', search(randomWords(1000).join(' ')), {
      token: searchers.tokens[0],
    }),
    severalTimes('search: one word of 5,000 letters', 'GET', search('ab'.repeat(2500)), {
      token: searchers.tokens[0],
    }),
    severalTimes('changes?limit=1000 of fat tasks', 'GET', '/api/changes?limit=1000', { token: fat }),
    severalTimes('tasks?limit=200 of fat tasks', 'GET', '/api/tasks?limit=200', { token: fat }),
    severalTimes('tags: 20 long ones', 'GET', '/api/tags', { token: fat }),
    severalTimes('PATCH ?scope=all, 1,000 occurrences', 'PATCH', `/api/tasks/${series.taskId}?scope=all`, {
      token,
      json: { description: 'Changed' },
    }),
    severalTimes('occurrences?limit=100', 'GET', `/api/tasks/${series.taskId}/occurrences?limit=100`, {
      token,
    }),
    ...Object.entries(BODIES).map(([name, body]) => write(`body: ${name}`, body)),
    severalTimes('body: reorder with 10,000 ids', 'POST', '/api/tasks/reorder', { token, body: LONG_ORDER }),
    write(
      'rule that never matches',
      JSON.stringify({ title: 'Never', due_at: due, recurrence_rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }),
    ),
    write(
      'rule that hardly matches',
      JSON.stringify({
        title: 'Rare',
        due_at: due,
        recurrence_rule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO',
      }),
    ),
    severalTimes('token of 15 kB', 'GET', '/api/tasks', {
      token: `${token!.slice(0, 40)}${'A'.repeat(15_000)}`,
    }),
  ]
}
