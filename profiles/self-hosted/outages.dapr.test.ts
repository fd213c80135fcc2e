import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invariantViolations } from '../../testing/worlds/invariants.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import type { FeatureReport } from '../../shared/app/health/feature-status.ts'
import { readConfig } from '../../shared/config.ts'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { createApiClient } from '../../testing/worlds/api-client.ts'
import { completedDaily, traceIdOf } from '../../testing/product/harness/completed-daily.ts'
import { clientOf } from '../../testing/product/harness/product.ts'
import { startSelfHosted, type SelfHosted } from './start-self-hosted.ts'

const folder = mkdtempSync(join(tmpdir(), 'daybook-outages-'))
chmodSync(folder, 0o755)
let daybook: SelfHosted
let sql: Sql
let user: Client
/** The same person at the process of the unit itself, not through gateway and sidecars. */
let atTasksApi: Client

beforeAll(async () => {
  const config = readConfig({ PORT: '0', DAYBOOK_DATA_DIR: folder, LOG_LEVEL: 'warn' })
  daybook = await startSelfHosted({ config })
  sql = connect(daybook.migrationUrl, { max: 1, applicationName: 'test' })
  const api = clientsAt(daybook.url)
  const person = await api.register()
  user = clientOf(api, person)
  atTasksApi = clientOf(clientsAt(`http://127.0.0.1:${daybook.ports.units.get('tasks-api')!.app}`), person)
}, 120_000)
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await daybook.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const clientsAt = (url: string) => createApiClient((path, init) => fetch(url + path, init))

/** As an accident would: the part comes back by itself. Returns who has died. */
function kill(name: string): number {
  const { pid } = daybook.part(name)
  process.kill(pid, 'SIGKILL')
  return pid
}

const DAILY = { due_at: '2027-03-01T09:00:00Z', recurrence_rule: 'daily' }

const featuresSeenBy = async (client: Client) =>
  ((await client.send('GET', '/api/health/status')).body as FeatureReport).features

/** How many next occurrences a series has got. */
const generated = async (series: string | null) =>
  (await user.events()).filter(
    ({ type, data }) => type === 'task.occurrence.generated' && data.task.series_id === series,
  ).length

describe('a consumer that fails', () => {
  it('says so in the trace of the request, is called again and then has its effect in that trace', async () => {
    // The database refuses the consumer's event, as if it had gone away at that moment.
    await sql`create function refuse() returns trigger language plpgsql as $$ begin
      raise exception 'gone' using errcode = '57P01'; end $$`
    await sql`create trigger refuse before insert on events for each row
      when (new.type = 'task.occurrence.generated') execute function refuse()`
    const traceId = randomUUID().replaceAll('-', '')
    const made = completedDaily(user, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
    const lines = () => daybook.part('recurrence-worker').log().split('\n')
    await expect
      .poll(() => lines().find((line) => line.includes(traceId)), { timeout: 30_000 })
      .toMatch(/"type":"task.completed".*failed to process event; it will be redelivered/)
    await sql`drop function refuse cascade`
    const { cause, effect } = await made
    expect([cause, effect].map(traceIdOf)).toEqual([traceId, traceId])
  })
})

describe('while the broker is away', () => {
  it('tasks go on through the gateway, health says that events are queued, and all of them flow when it is back', async () => {
    await daybook.part('kafka').kill()
    const task = await user.create(DAILY)
    expect(await user.does('POST', `/api/tasks/${task.id}/complete`)).toMatchObject({ id: task.id })
    await expect
      .poll(async () => await featuresSeenBy(user), { timeout: 40_000 })
      .toMatchObject({
        tasks: { status: 'available' },
        outbox: { status: 'queued' },
        recurrence: { status: 'queued' },
      })
    expect(await generated(task.series_id)).toBe(0)
    await daybook.part('kafka').restart()
    await expect.poll(() => generated(task.series_id), { timeout: 60_000 }).toBe(1)
    await expect
      .poll(async () => (await featuresSeenBy(user)).outbox?.status, { timeout: 30_000 })
      .toBe('available')
  }, 150_000)
})

describe('while the sidecar of tasks-api is away', () => {
  it('the unit goes on and says what waits, the gateway refuses plainly, and all flows when it is back', async () => {
    const sidecar = daybook.part('tasks-api-daprd')
    await sidecar.kill()
    try {
      const task = await atTasksApi.create(DAILY)
      await atTasksApi.does('POST', `/api/tasks/${task.id}/complete`)
      expect(await featuresSeenBy(atTasksApi)).toMatchObject({
        tasks: { status: 'available' },
        outbox: { status: 'queued' },
      })
      const write = () => user.send('POST', '/api/tasks', { title: 'Once' }, { 'idempotency-key': 'once' })
      const refused = await write()
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect(refused.problem.code).toBe('gateway.unreachable')
      await sidecar.restart()
      await expect.poll(() => generated(task.series_id), { timeout: 60_000 }).toBe(1)
      await expect.poll(async () => (await write()).status, { timeout: 30_000 }).toBe(201)
      const created = (await user.events()).filter(({ type }) => type === 'task.created')
      expect(created.filter(({ data }) => data.task.title === 'Once')).toHaveLength(1)
    } finally {
      if (!sidecar.isUp) await sidecar.restart()
    }
  }, 150_000)
})

describe('while tasks-api is killed again and again', () => {
  it('999 of 1000 reads and retryable writes through the gateway succeed, and no write is done twice', async () => {
    const victims = new Set<number>()
    const answers: string[] = []
    const titles: string[] = []
    let left = 1000
    const client = async () => {
      while (left > 0) {
        left -= 1
        const title = `Task ${left}`
        const isWrite = left % 2 === 0
        if (isWrite) titles.push(title)
        const got = isWrite
          ? await user.send('POST', '/api/tasks', { title }, { 'idempotency-key': title.replace(' ', '-') })
          : await user.send('GET', '/api/tasks?limit=1')
        answers.push(`${got.status} ${got.status >= 300 ? JSON.stringify(got.body) : ''}`)
        // Each time it is started again after a longer pause, and has served again before the next.
        if (answers.length % 300 === 0) victims.add(kill('tasks-api'))
        await delay(100)
      }
    }
    const since = (await user.events()).at(-1)!.seq
    await Promise.all(Array.from({ length: 8 }, client))
    expect(victims.size).toBe(3)
    const failed = answers.filter((answer) => !answer.startsWith('2'))
    expect(failed.slice(answers.length / 1000)).toEqual([])
    const made = (await user.events(since)).filter(({ type }) => type === 'task.created')
    expect(new Set(made.map(({ data }) => data.task.title)).size).toBe(made.length)
    expect(titles.length - made.length).toBeLessThanOrEqual(1)
  }, 150_000)
})

it('after all of this the books balance', async () => {
  expect(await invariantViolations(sql)).toEqual([])
})
