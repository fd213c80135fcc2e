import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres } from '../../profiles/embedded/embedded-postgres.ts'
import { migrate } from '../../shared/db/migrate.ts'
import { createReminderQueue } from '../../shared/db/reminders/reminder-queue.ts'
import { figuresOf, type Figures } from '../measure.ts'

const PER_TASK = 10
const TASKS_PER_PERSON = 100
const LOOKS = 200
const CLAIMS = 20
const BATCH = 500
const LEASE_MS = 30_000
const BASE = Date.parse('2030-01-01T00:00:00Z')

/**
 * What a sweep costs among `pending` reminders that are not due yet: one a second from 2030 on, ten for each task. On a
 * database of its own, so that nobody else takes what is due.
 */
export async function measureSweep(
  pending: number,
  say: (line: string) => void,
): Promise<{ figures: Figures[]; notes: string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(directory, 0o755)
  const server = await startEmbeddedPostgres(directory)
  const sql = connect(server.as('superuser'), { max: 1, applicationName: 'bench' })
  try {
    await migrate(sql)
    say(`sweep: loading ${pending} reminders`)
    await load(sql, pending)
    return await measure(sql, pending, say)
  } finally {
    await sql.end({ timeout: 1 })
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(sql: Sql, pending: number, say: (line: string) => void) {
  const queue = createReminderQueue(sql)
  const claimAt = (ms: number) =>
    queue.claimDue({ now: new Date(ms), leaseUntil: new Date(ms + LEASE_MS), limit: BATCH })
  const figures: Figures[] = []
  /** `failed`: answers that are not what is in the table. */
  const line = async (name: string, times: number, run: (nth: number) => Promise<boolean>) => {
    const latencies: number[] = []
    let failed = 0
    for (let nth = 0; nth < times; nth += 1) {
      const startedAt = performance.now()
      const isRight = await run(nth)
      latencies.push(performance.now() - startedAt)
      if (!isRight) failed += 1
      if (name.includes('claimed'))
        await sql`update reminders set fire_at = null where lease_until is not null`
    }
    const seconds = latencies.reduce((sum, ms) => sum + ms, 0) / 1000
    const measured = figuresOf(name, { connections: 1, seconds, latencies, failed })
    say(`  ${name.padEnd(48)} p50 ${measured.p50}  p95 ${measured.p95}  worst ${measured.worst} ms`)
    figures.push(measured)
  }
  const before = await scans(sql)
  await line(`sweep of ${pending}: none due`, LOOKS, async () => (await claimAt(BASE - 1)).length === 0)
  await line(
    `sweep of ${pending}: when is the next due`,
    LOOKS,
    async () => (await queue.nextDueAt())?.getTime() === BASE,
  )
  await line(
    `sweep of ${pending}: ${BATCH} due, claimed`,
    CLAIMS,
    async (nth) => (await claimAt(BASE + ((nth + 1) * BATCH - 1) * 1000)).length === BATCH,
  )
  const after = await scans(sql)
  const whole = after.whole - before.whole
  const byIndex = after.by_index - before.by_index
  // The updates between the claims are the benchmark's own.
  const own = CLAIMS
  return {
    figures,
    notes: [
      `sweep: the index reminders_due was read ${byIndex} times, the table as a whole ${whole - own} times`,
    ],
  }
}

/** How often the table was read as a whole, and how often through the index of what is due (PostgreSQL, 27.2). */
async function scans(sql: Sql): Promise<{ whole: number; by_index: number }> {
  await sql`select pg_stat_force_next_flush()`
  const [row] = await sql<[{ whole: number; by_index: number }]>`
    select t.seq_scan as whole, i.idx_scan as by_index
    from pg_stat_user_tables t join pg_stat_user_indexes i using (relid)
    where t.relname = 'reminders' and i.indexrelname = 'reminders_due'`
  return row
}

async function load(sql: Sql, pending: number): Promise<void> {
  const tasks = Math.ceil(pending / PER_TASK)
  const people = Math.ceil(tasks / TASKS_PER_PERSON)
  await sql`set statement_timeout = 0`
  await sql`
    insert into users (id, email, password_hash, time_zone, created_at, email_confirmed_at)
    select md5('u' || n)::uuid, n || '@example.org', 'none', 'UTC', now(), now() from generate_series(0, ${people - 1}::int) n`
  await sql`
    insert into tasks (id, user_id, title, priority, tags, tag_keys, due_order, time_zone, position, repeat_from, version,
      created_at, updated_at, words)
    select md5('t' || n)::uuid, md5('u' || n % ${people}::int)::uuid, 'Task ' || n, 1, '{}', '{}', 'infinity', 'UTC', n * 1024,
      'due', 1, now(), now(), ''
    from generate_series(0, ${tasks - 1}::int) n`
  // A multiplier that shares no factor with a power of ten: neighbours in time lie far from each other in the table.
  await sql`
    insert into reminders (id, user_id, task_id, origin, remind_at, fire_at, version, created_at, updated_at)
    select md5('r' || n)::uuid, md5('u' || n / ${PER_TASK}::int % ${people}::int)::uuid,
      md5('t' || n / ${PER_TASK}::int)::uuid, 'user', at, at, 1, now(), now()
    from (select n, ${new Date(BASE)}::timestamptz + n::bigint * 7919 % ${pending}::int * interval '1 second' as at
      from generate_series(0, ${pending - 1}::int) n) planned`
  await sql`vacuum analyze`
  await sql`checkpoint`
  await sql`reset statement_timeout`
}
