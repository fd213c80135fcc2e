import { expect, it } from 'vitest'
import { aChange } from '../../testing/builders/a-task.ts'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService(['audit/sweep-audit'])
const { deps, sql } = service

const sweep = () => service.app.request('/dapr/cron/sweep-audit-cron', { method: 'POST', ...asSidecar })
const recorded = async () => {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from audit_entries`
  return row!.count
}

it('records what no message has told of, of everybody, once', async () => {
  const users = Array.from({ length: 40 }, () => deps.ids.uuid())
  for (const id of users) await deps.changes.commit(aChange(id))
  await Promise.all([sweep(), sweep()])
  expect(await recorded()).toBe(40)
  await deps.changes.commit(aChange(users[0]!))
  await sweep()
  await sweep()
  expect(await recorded()).toBe(41)
})
