import { afterAll, expect, it } from 'vitest'
import { connect } from '../../shared/db/connect.ts'
import { kubectl } from '../../tools/cluster/kubectl.ts'
import { rollback } from '../../tools/k8s/helm.ts'
import { DATABASE_URL } from './harness/database.ts'
import { judge, startLoad } from './harness/load.ts'
import { spread } from './harness/numbers.ts'
import { until } from './harness/pods.ts'
import { DAYBOOK, install, NAMESPACE, GATEWAY } from './harness/releases.ts'

const AT_LEAST = 5000

const sql = connect(DATABASE_URL, { max: 2, applicationName: 'test' })
afterAll(() => sql.end({ timeout: 1 }))

const unitsReady = () =>
  kubectl('-n', NAMESPACE, 'wait', '--for=condition=Ready', 'ksvc', '--all', '--timeout=180s')
/** Of each Knative Service, which a change of its template makes anew. */
const revisions = () =>
  kubectl('-n', NAMESPACE, 'get', 'ksvc', '-o', 'jsonpath={.items[*].status.latestReadyRevisionName}')

it('an upgrade and a rollback under load fail no request, lose no write and double none', async () => {
  const load = await startLoad(GATEWAY, { people: 10, pauseMs: 60 })
  await until('the load', () => load.waits.length > 200)
  const before = await revisions()
  let begun = Date.now()
  await install(DAYBOOK, ['env.LOG_LEVEL=warn'])
  await unitsReady()
  console.log(`helm upgrade: ${Date.now() - begun} ms, ${load.waits.length} requests so far`)
  expect(await revisions()).not.toBe(before)
  begun = Date.now()
  await rollback(DAYBOOK)
  await unitsReady()
  console.log(`helm rollback: ${Date.now() - begun} ms, ${load.waits.length} requests so far`)
  await until('enough requests', () => load.waits.length >= AT_LEAST, 300_000)
  await load.end()
  console.log(`${load.waits.length} requests, ${load.failed.length} failed; ${spread(load.waits)}`)
  expect(load.failed).toEqual([])
  expect(await judge(sql, load.people)).toEqual([])
})
