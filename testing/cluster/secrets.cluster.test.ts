import { afterAll, expect, it } from 'vitest'
import { connect } from '../../shared/db/connect.ts'
import { kubectl } from '../../tools/cluster/kubectl.ts'
import { POSTGRES } from '../../tools/cluster/postgres.ts'
import { DATABASE_URL } from './harness/database.ts'
import { judge, startLoad } from './harness/load.ts'
import { until } from './harness/pods.ts'
import { DAYBOOK, install, NAMESPACE, PLATFORM, GATEWAY } from './harness/releases.ts'

const sql = connect(DATABASE_URL, { max: 2, applicationName: 'test' })
afterAll(async () => {
  await sql`alter role daybook_app login`
  await install(PLATFORM)
  await install(DAYBOOK)
  await sql.end({ timeout: 1 })
})

const next = `postgres://daybook_next:second@${POSTGRES.host}:${POSTGRES.port}/daybook`

it('another database role takes over without a failed request, and the old one is not missed', async () => {
  await sql.unsafe(`drop role if exists daybook_next; create role daybook_next login password 'second'`)
  const load = await startLoad(GATEWAY, { people: 5, pauseMs: 80 })
  await until('the load', () => load.waits.length > 100)
  await install(PLATFORM, [`secrets.data.daybook-database.url=${next}`])
  // The migration of this release lets the new role work; the change of a setting starts each unit anew.
  await install(DAYBOOK, ['env.LOG_LEVEL=warn'])
  await kubectl('-n', NAMESPACE, 'wait', '--for=condition=Ready', 'ksvc', '--all', '--timeout=180s')
  const sessions = async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from pg_stat_activity where usename = 'daybook_app'`
    return row!.count
  }
  await until('the end of every session of the old role', async () => (await sessions()) === 0)
  await sql`alter role daybook_app nologin`
  const sent = load.waits.length
  await until('requests without it', () => load.waits.length > sent + 200)
  await load.end()
  console.log(`${load.waits.length} requests while a secret was replaced, ${load.failed.length} failed`)
  expect(load.failed).toEqual([])
  expect(await judge(sql, load.people)).toEqual([])
})
