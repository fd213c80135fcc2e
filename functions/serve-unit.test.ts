import { expect, it, onTestFinished, vi } from 'vitest'
import { readConfig } from '../shared/config.ts'
import { silentLogger } from '../shared/observability/logger.ts'
import { SYSTEM_RESOURCES } from './compose.ts'
import { createApiClient } from '../testing/worlds/api-client.ts'
import { APP_TOKEN, obligingSidecar } from '../testing/worlds/compose-daybook.ts'
import { createChangeStore } from '../shared/db/changes/change-store.ts'
import { aReminder } from '../testing/builders/a-reminder.ts'
import { aChange, aTask } from '../testing/builders/a-task.ts'
import { testDatabase } from '../testing/worlds/database.ts'
import { openEventStream } from '../testing/worlds/event-stream.ts'
import { loadFunctions } from './main.ts'
import { chosen, runFunctions } from './serve-unit.ts'

const RESOURCES = {
  ...SYSTEM_RESOURCES,
  log: silentLogger,
  sidecarFetch: obligingSidecar,
  appToken: APP_TOKEN,
}

it('a unit has its signing keys before it listens', async () => {
  const sql = await testDatabase()
  const functions = await loadFunctions(['auth/get-me'])
  const unit = await runFunctions(readConfig({ PORT: '0' }), { ...RESOURCES, sql }, functions)
  onTestFinished(unit.close)
  expect(await sql`select 1 from signing_keys`).toHaveLength(1)
})

it.each([
  [{}, ['started without web push: ']],
  [{ MAIL_FROM: 'Daybook <daybook@daybook.example>' }, []],
  [{ PUBLIC_URL: 'https://localhost:8443' }, ['started without web push: ']],
  [{ PUBLIC_URL: 'https://daybook.example.org' }, []],
])(
  'a worker that has no public address to give to push services says so at start-up: %o',
  async (env, expected) => {
    const sql = await testDatabase()
    const logged: string[] = []
    const log = { ...silentLogger, info: (_: object, message: string) => void logged.push(message) }
    const functions = await loadFunctions(['notifications/sweep-deliveries'])
    const worker = await runFunctions(
      readConfig({ PORT: '0', ...env }),
      { ...RESOURCES, sql, log },
      functions,
    )
    onTestFinished(worker.close)
    const told = logged.filter((message) => message.includes('web push'))
    expect(told).toEqual(expected.map((start) => expect.stringContaining(start) as string))
  },
)

it('a unit with live streams ends at once when it is told to', async () => {
  const sql = await testDatabase()
  const functions = await loadFunctions(['auth/register-user', 'sync/stream-notifications'])
  const unit = await runFunctions(readConfig({ PORT: '0' }), { ...RESOURCES, sql }, functions)
  const { token } = await createApiClient(async (path, init) => unit.app.request(path, init)).register()
  const url = `http://127.0.0.1:${unit.server.port}/api/notifications/stream`
  const stream = await openEventStream(url, { headers: { authorization: `Bearer ${token}` } })
  await vi.waitFor(() => expect(stream.messages).toHaveLength(1))
  const startedAt = performance.now()
  await unit.close()
  expect(performance.now() - startedAt).toBeLessThan(5000) // requests get ten seconds
  await stream.ended
})

it('a worker tells at start-up what came due while none was awake, and in time what comes due then', async () => {
  const sql = await testDatabase()
  const task = aTask()
  const inMs = (ms: number) => new Date(Date.now() + ms)
  const [missed, soon] = [inMs(-120_000), inMs(3000)].map((remindAt) =>
    aReminder({ remindAt, userId: task.userId, taskId: task.id }),
  )
  await createChangeStore(sql).commit(
    aChange(task.userId, { newTasks: [task], newReminders: [missed!, soon!] }),
  )
  const functions = await loadFunctions(['reminders/sweep-reminders'])
  const worker = await runFunctions(readConfig({ PORT: '0' }), { ...RESOURCES, sql }, functions)
  onTestFinished(worker.close)
  const told = () => sql<{ reminder_id: string; late: boolean }[]>`
    select reminder_id, late from deliveries order by fire_at`
  await expect.poll(told, { timeout: 10_000 }).toEqual([
    { reminder_id: missed!.id, late: true },
    { reminder_id: soon!.id, late: false },
  ])
})

it('a worker that is up for a moment purges, though no binding ticks in that time', async () => {
  const sql = await testDatabase()
  await sql`insert into processed_events (consumer, event_id, processed_at)
    values ('test', ${SYSTEM_RESOURCES.ids.uuid()}, now() - interval '9 days')`
  const functions = await loadFunctions(['tasks/purge-expired', 'recurrence/sweep-series'])
  const worker = await runFunctions(readConfig({ PORT: '0' }), { ...RESOURCES, sql }, functions)
  await worker.close()
  expect(await sql`select 1 from processed_events`).toEqual([])
})

it('a unit runs the functions it is told to, with those that every unit answers, and no others', async () => {
  const loaded = await loadFunctions(['tasks/get-task', 'tasks/create-task', 'health/check-liveness'])
  const functions = loaded.map((fn) => [fn.name, fn] as const)
  const names = (...given: string[]) => chosen(functions, given).map(({ name }) => name)
  expect(names()).toEqual(['tasks/get-task', 'tasks/create-task', 'health/check-liveness'])
  expect(names('tasks/create-task')).toEqual(['tasks/create-task', 'health/check-liveness'])
  expect(() => names('auth/log-in')).toThrow('This unit has no function auth/log-in.')
})
