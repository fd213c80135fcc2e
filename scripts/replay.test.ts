import { spawnSync } from 'node:child_process'
import { afterAll, expect, it } from 'vitest'
import { connect, socketUrl } from '../shared/db/connect.ts'
import { tasksAdded } from '../testing/builders/a-task.ts'
import { composeDaybook } from '../testing/worlds/compose-daybook.ts'
import { testDatabaseTarget } from '../testing/worlds/database.ts'
import { TaskCreated } from '../shared/domain/events.ts'
import { taskRecord } from '../shared/domain/tasks/task.ts'

const target = await testDatabaseTarget()
const sql = connect(target, { max: 4, applicationName: 'test' })
afterAll(() => sql.end({ timeout: 1 }))
const { deps } = composeDaybook(sql)

const replay = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/replay.ts', ...args], {
    env: { DATABASE_URL: socketUrl(target) },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

async function someUser(at: string): Promise<string> {
  const id = deps.ids.uuid()
  const change = tasksAdded(id, [{ createdAt: new Date(at), updatedAt: new Date(at) }])
  const [task] = change.newTasks
  const { type, version } = TaskCreated
  const told = {
    ...change.events[0]!,
    type,
    dataversion: version,
    time: new Date(at),
    data: { task: taskRecord(task!), actor: { type: 'user', id } },
  }
  await deps.changes.commit({ ...change, at: new Date(at), events: [told] })
  return id
}

it('says whether the tables are what the events say, of whom it is asked, and makes them so', async () => {
  const [old, young] = [await someUser('2026-03-02T08:00:00Z'), await someUser('2026-04-02T08:00:00Z')]
  expect(replay('--verify')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^2 events of 2 users replayed \(\d+\/s\), 0 tables differ\.\n$/),
  })
  await sql`update tasks set title = 'Another' where user_id = ${old}`
  expect(replay('--verify')).toMatchObject({ status: 2, stderr: expect.stringContaining('"Another"') })
  expect(replay('--verify', '--from', '2026-04-01T00:00:00Z')).toMatchObject({ status: 0 })
  expect(replay('--verify', '--to', '2026-04-01T00:00:00Z')).toMatchObject({ status: 2 })
  expect(replay('--verify', '--after', old)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^1 events/),
  })
  expect(replay('--verify', '--user', young)).toMatchObject({ status: 0 })
  expect(replay('--apply')).toMatchObject({ status: 0, stdout: expect.stringContaining('1 rows applied') })
  expect(replay('--verify')).toMatchObject({ status: 0 })
}, 60_000)

it.each([[[]], [['--verify', '--apply']], [['--verify', '--from', 'yesterday']]])('refuses %j', (args) => {
  expect(replay(...args)).toMatchObject({ status: 1 })
})
