import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { SERVER_SETTINGS } from '../profiles/embedded/embedded.ts'
import { recordAudit, recordMissed } from '../shared/app/audit/record-audit.ts'
import { verifyChain } from '../shared/app/audit/verify-audit.ts'
import { inheritedEnvironment } from '../shared/config.ts'
import { createAuditTrail } from '../shared/db/audit/audit-trail.ts'
import { connect, type Sql } from '../shared/db/connect.ts'
import { prepareDatabase } from '../shared/db/prepare-database.ts'
import { replayUser } from '../shared/db/replay/replay-user.ts'
import { TaskUpdated } from '../shared/domain/events.ts'
import { taskRecord } from '../shared/domain/tasks/task.ts'
import { systemClock, systemIds } from '../shared/kit/system.ts'
import { aTask } from '../testing/builders/a-task.ts'
import { figuresOf, type Figures } from './measure.ts'
import { report } from './report.ts'

/** Every version of a task is an event. */
const WHOLE = { users: 100, tasks: 1000, versions: 10, singles: 1000 }
const TRIAL = { users: 4, tasks: 50, versions: 5, singles: 50 }
type Plan = typeof WHOLE

/** What the audit trail costs to write and to verify, and how fast events are replayed. */
export async function run(): Promise<void> {
  const isTrial = inheritedEnvironment()['BENCH_TRIAL'] === 'true'
  const plan = isTrial ? TRIAL : WHOLE
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(directory, 0o755)
  const server = await startEmbeddedPostgres(directory, SERVER_SETTINGS)
  await prepareDatabase({ target: server.target, ownerTarget: server.as('owner') })
  const sql = connect(server.target, { max: 8, applicationName: 'bench' })
  try {
    const users = await seed(sql, plan)
    await sql`analyze events`
    const figures = await measureAll(sql, users, plan)
    report(
      'audit',
      {
        versions: { node: process.versions.node, postgresql: '18.4', daybook: '0.1.0' },
        dataset: `${plan.users} users with ${plan.tasks} tasks of ${plan.versions} versions each: ${count(plan)} events. Percentiles are of users, but for single events.`,
        figures,
        notes: [`Memory after all of it: ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB.`],
      },
      isTrial,
    )
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const count = ({ users, tasks, versions }: Plan) => users * tasks * versions

async function measureAll(sql: Sql, users: readonly string[], plan: Plan): Promise<Figures[]> {
  const deps = { auditTrail: createAuditTrail(sql), ids: systemIds }
  const now = systemClock.now()
  const replay = (apply: boolean) => async (userId: string) => {
    const { differences } = await replayUser(sql, userId, { now, apply })
    if (!apply && differences.length > 0) throw new Error(differences[0])
  }
  const verify = async (userId: string) => {
    const report = await verifyChain(deps.auditTrail, userId)
    if (!report || report.fault) throw new Error(`${userId}: ${report?.fault?.reason ?? 'no trail'}`)
  }
  return [
    await timed('append a backlog, entries', count(plan), [''], () => recordMissed(deps)),
    await appendSingly(sql, users, plan, (userId) => recordAudit(deps, userId)),
    await timed('verify, entries', count(plan), users, verify),
    await timed('replay and apply, events', count(plan), users, replay(true)),
    await timed('replay and compare, events', count(plan), users, replay(false)),
  ]
}

/** One user after the other; the rate is of `items`. */
async function timed(
  name: string,
  items: number,
  users: readonly string[],
  work: (userId: string) => Promise<void>,
): Promise<Figures> {
  const latencies: number[] = []
  for (const userId of users) latencies.push(await timeOf(() => work(userId)))
  return figures(name, latencies, items)
}

async function appendSingly(
  sql: Sql,
  users: readonly string[],
  { tasks, versions, singles }: Plan,
  record: (userId: string) => Promise<void>,
): Promise<Figures> {
  const latencies: number[] = []
  for (let n = 0; n < singles; n += 1) {
    const userId = users[n % users.length]!
    const nth = Math.floor(n / users.length) + 1
    await addEvents(sql, userId, {
      from: versions + nth,
      to: versions + nth,
      tasks: 1,
      behind: tasks * versions + nth - 1,
    })
    latencies.push(await timeOf(() => record(userId)))
  }
  return figures('append, an event at a time', latencies, singles)
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function figures(name: string, latencies: readonly number[], items: number): Figures {
  const seconds = latencies.reduce((sum, ms) => sum + ms, 0) / 1000
  const measured = figuresOf(name, { connections: 1, seconds, latencies, failed: 0 })
  const told = { ...measured, perSecond: Math.round(items / seconds) }
  console.log(`  ${name}: ${told.perSecond}/s`)
  return told
}

async function seed(sql: Sql, { users, tasks, versions }: Plan): Promise<string[]> {
  const ids = Array.from({ length: users }, () => systemIds.uuid())
  for (const id of ids) await addEvents(sql, id, { from: 1, to: versions, tasks, behind: 0 })
  return ids
}

const TEMPLATE = taskRecord(aTask({ tags: ['home'], dueAt: new Date('2027-03-01T09:00:00.000Z') }))

/** Updates of tasks, of each these versions, behind so many events. */
async function addEvents(
  sql: Sql,
  userId: string,
  { from, to, tasks, behind }: { from: number; to: number; tasks: number; behind: number },
): Promise<void> {
  await sql`
    insert into events (user_id, seq, id, type, dataversion, source, subject, time, data)
    select ${userId}, ${behind} + (version - ${from}) * ${tasks} + nth, uuidv7(), ${TaskUpdated.type}, ${TaskUpdated.version},
      ${TaskUpdated.source}, 'task/' || task, now(), jsonb_build_object(
        'task', ${sql.json(TEMPLATE)}::jsonb || jsonb_build_object('id', task, 'user_id', ${userId}::text, 'version', version, 'title', 'Task ' || version),
        'changes', jsonb_build_object('title', jsonb_build_object('old', 'Task ' || version - 1, 'new', 'Task ' || version)),
        'actor', jsonb_build_object('type', 'user', 'id', ${userId}::text, 'client_ip', '203.0.113.9', 'user_agent', 'bench'))
    from generate_series(${from}::int, ${to}::int) version, generate_series(1, ${tasks}::int) nth,
      lateral (select md5(${userId}::text || nth)::uuid as task) t`
  const last = behind + (to - from + 1) * tasks
  await sql`
    insert into user_counters (user_id, last_seq) values (${userId}, ${last})
    on conflict (user_id, turn) do update set last_seq = excluded.last_seq`
}
