import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { connect } from '../../shared/db/connect.ts'
import { DATABASE_URL } from './harness/database.ts'
import { GATEWAY } from './harness/releases.ts'
import { DISRUPTIONS } from './harness/disruptions.ts'
import { judge, startLoad } from './harness/load.ts'
import { spread } from './harness/numbers.ts'
import { followPods, until } from './harness/pods.ts'

const PAUSE_MS = 8000

const sql = connect(DATABASE_URL, { max: 2, applicationName: 'test' })
const pods = await followPods()
afterAll(async () => {
  pods.close()
  await sql.end({ timeout: 1 })
})

it('whatever is killed under load, no write is lost, none is doubled, and all goes on', async () => {
  const load = await startLoad(GATEWAY, { people: 6, pauseMs: 80, isPatient: true })
  await until('the load', () => load.waits.length > 100)
  for (const { name, run } of DISRUPTIONS) {
    const failed = load.failed.length
    const begun = Date.now()
    await run(pods)
    await delay(PAUSE_MS)
    const sent = load.waits.length
    await until(`requests after ${name}`, () => load.waits.length > sent + 20, 120_000)
    console.log(`${name}: ${load.failed.length - failed} attempts failed in ${Date.now() - begun} ms`)
  }
  await load.end()
  console.log(`${load.waits.length} requests; ${spread(load.waits)}`)
  const unanswered = load.people.flatMap(({ reports }) =>
    reports.filter(({ outcome }) => outcome === 'unknown'),
  )
  expect(unanswered).toEqual([])
  expect(await judge(sql, load.people)).toEqual([])
})
