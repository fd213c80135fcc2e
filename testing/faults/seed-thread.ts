import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { connect, type SocketTarget } from '../../shared/db/connect.ts'
import { migrate } from '../../shared/db/migrate.ts'
import { simulateReminders } from '../reminder-faults/simulation.ts'
import { simulate, type Run } from './simulation.ts'

/** What is simulated: recurring tasks and their events, or reminders and notifications. */
export const SUITES = { recurrence: simulate, reminders: simulateReminders }
export type Suite = keyof typeof SUITES

/** What a thread is given: a database of its own and the seeds to run on it. */
export interface SeedWork {
  suite: Suite
  target: SocketTarget
  seeds: readonly number[]
  /** Whether the story of each run is wanted. */
  isVerbose: boolean
}

/** What it reports after each seed. */
export interface SeedResult {
  seed: number
  violations: Run['violations']
  injected: Run['injected']
  steps: number
  commands: number
  story: string[]
}

/** Tables are emptied now and then, so that a long run is as quick at its end. */
const SEEDS_PER_TABLES = 100
const TABLES = [
  'tasks',
  'series',
  'occurrences',
  'events',
  'outbox',
  'user_counters',
  'tags',
  'processed_events',
  'idempotency_keys',
  'reminders',
  'notifications',
  'deliveries',
  'notification_preferences',
  'push_subscriptions',
  'dead_letters',
  'users',
].join(', ')

const { suite, target, seeds, isVerbose } = workerData as SeedWork
const sql = connect(target, { max: 20, applicationName: 'faults' })
await migrate(sql)
const run = randomBytes(6).toString('hex')
for (const [index, seed] of seeds.entries()) {
  const { violations, story, injected, reports } = await SUITES[suite]({ sql, seed, run })
  const isTold = isVerbose || violations.length > 0
  const counts = { steps: story.length, commands: reports.length }
  const result: SeedResult = { seed, violations, injected, ...counts, story: isTold ? story : [] }
  parentPort?.postMessage(result) // oxlint-disable-line unicorn/require-post-message-target-origin -- not a window
  // What a broken seed leaves behind would be taken for the next one's.
  if (violations.length > 0 || index % SEEDS_PER_TABLES === SEEDS_PER_TABLES - 1) {
    await sql.unsafe(`truncate ${TABLES}`)
  }
}
await sql.end()
