import { expect, it, onTestFinished, vi } from 'vitest'
import { readConfig } from '../shared/config.ts'
import { createLogger } from '../shared/observability/logger.ts'
import { createApiClient } from '../shared/testing/api-client.ts'
import { obligingSidecar } from '../shared/testing/api-world.ts'
import { createChangeStore } from '../shared/db/change-store.ts'
import { aReminder } from '../shared/testing/a-reminder.ts'
import { aChange, aTask } from '../shared/testing/a-task.ts'
import { testDatabase } from '../shared/testing/database.ts'
import { openEventStream } from '../shared/testing/event-stream.ts'
import { runFunctions } from './main.ts'

it('a unit has its signing keys before it listens', async () => {
  const sql = await testDatabase()
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const outside = { sql, log, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const unit = await runFunctions(readConfig({ PORT: '0' }), outside, { names: ['auth/get-me'] })
  onTestFinished(unit.close)
  expect(await sql`select 1 from signing_keys`).toHaveLength(1)
})

it('a unit with live streams ends at once when it is told to', async () => {
  const sql = await testDatabase()
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const outside = { sql, log, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const names = ['auth/register-user', 'sync/stream-notifications']
  const unit = await runFunctions(readConfig({ PORT: '0' }), outside, { names })
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
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const task = aTask()
  const inMs = (ms: number) => new Date(Date.now() + ms)
  const [missed, soon] = [inMs(-120_000), inMs(3000)].map((remindAt) =>
    aReminder({ remindAt, userId: task.userId, taskId: task.id }),
  )
  await createChangeStore(sql).commit(
    aChange(task.userId, { newTasks: [task], newReminders: [missed!, soon!] }),
  )
  const outside = { sql, log, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const worker = await runFunctions(readConfig({ PORT: '0' }), outside, {
    names: ['reminders/sweep-reminders'],
  })
  onTestFinished(worker.close)
  const told = () => sql<{ reminder_id: string; late: boolean }[]>`
    select reminder_id, late from deliveries order by fire_at`
  await expect.poll(told, { timeout: 10_000 }).toEqual([
    { reminder_id: missed!.id, late: true },
    { reminder_id: soon!.id, late: false },
  ])
})
