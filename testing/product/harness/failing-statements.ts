import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { Sql } from '../../../shared/db/connect.ts'
import { inTransaction } from '../../../shared/db/transaction.ts'
import type { ApiClient } from '../../worlds/api-client.ts'
import type { Random } from '../../faults/random.ts'

const WIDE = 10_000
const FAT_TASKS = 40
const STRIKE_EVERY_MS = 10

/** What makes statements of a running Daybook fail while their rows come. */
export interface Mishaps {
  /** Statements that have failed so far. */
  count(): number
  stop(): Promise<void>
}

/**
 * Until it is stopped: statements on Daybook's own pool that fail after some rows, wide or narrow, by an error or their
 * time limit, within a transaction or not; somebody who reads megabytes; and an operator who cancels and ends sessions,
 * best those that are sending rows. `wrong` gets answers that are no answers to somebody who reads much.
 */
export async function startMishaps(
  { sql, admin, api }: { sql: Sql; admin: Sql; api: ApiClient },
  random: Random,
  wrong: string[],
): Promise<Mishaps> {
  let count = 0
  const stopping = new AbortController()

  async function repeat(work: () => Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      await work()
      await nextTurn() // where nothing answers any more, the end of the test still gets its turn
    }
  }

  async function failOne(): Promise<void> {
    const rows = 1 + random.below(200)
    const wide = random.chance(0.5) ? WIDE : 1
    const byError = `select repeat('x', ${wide}) as text, 1 / (${rows} - g) as v from generate_series(1, ${rows + 10}) g`
    const byLimit = `select repeat('x', ${WIDE}) as text, pg_sleep(0.002) as v from generate_series(1, 1000) g`
    const kinds: (() => Promise<unknown>)[] = [
      () => sql.unsafe(byError, [], { prepare: true }),
      () => inTransaction(sql, (tx) => tx.unsafe(byError)),
      () =>
        inTransaction(sql, (tx) => tx.savepoint((inner) => inner.unsafe(byError)).catch(() => tx`select 1`)),
      () => inTransaction(sql, (tx) => tx.unsafe(`set local statement_timeout = 30; ${byLimit}`)),
    ]
    // That it fails is what it is for.
    await random
      .pick(kinds)()
      .catch(() => {})
    count += 1
  }

  async function strike(): Promise<void> {
    const how = random.chance(0.15) ? 'terminate' : 'cancel'
    const whom = random.chance(0.7) ? "wait_event = 'ClientWrite'" : "application_name = 'daybook'"
    const { length } = await admin.unsafe(`
      select pg_${how}_backend(pid) from (select pid from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and ${whom}
        order by random() limit 1) one`)
    count += length
    await pause(STRIKE_EVERY_MS)
  }

  const greedy = await api.register()
  for (let n = 1; n <= FAT_TASKS; n += 1) {
    await api.have(greedy, 'POST', '/api/tasks', { title: 'Fat', description: 'x'.repeat(5000) })
  }
  const readMuch = async () => {
    const { status, text } = await api.ask('GET', '/api/changes?limit=1000', { token: greedy.token })
    if (![200, 429, 503].includes(status)) wrong.push(`a big read got ${status}: ${text}`)
  }

  const running = Promise.all([failOne, failOne, strike, readMuch, readMuch].map(repeat))
  return {
    count: () => count,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
