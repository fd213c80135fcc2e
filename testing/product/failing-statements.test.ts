import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { invariantViolations } from '../worlds/invariants.ts'
import { readConfig } from '../../shared/config.ts'
import { connect, socketUrl, type Sql } from '../../shared/db/connect.ts'
import { createApiClient } from '../worlds/api-client.ts'
import { testDatabaseTarget } from '../worlds/database.ts'
import { createRandom } from '../faults/random.ts'
import { woundedDriver } from '../worlds/wounded-driver.ts'
import { startEmbedded } from '../../profiles/embedded/embedded.ts'
import { startMishaps } from './harness/failing-statements.ts'
import { innocent } from './harness/innocent.ts'

/** `FAULT_ACTIONS=20000 FAULT_SEED=7 npm test -- testing/product/failing-statements` runs long; see docs/faults.md. */
const ACTIONS = Number(process.env.FAULT_ACTIONS ?? 150)
const SEED = Number(process.env.FAULT_SEED ?? 1)
/** A short run goes on until so many statements have failed. */
const MIN_MISHAPS = 60
const INNOCENTS = 5
const TIMEOUT_MS = 60_000 + ACTIONS * 200

/** The whole product on few connections, so that everybody's statements follow somebody's that failed. */
async function daybookOn(openPool = connect) {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-failing-'))
  const target = await testDatabaseTarget()
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: socketUrl(target),
    DATABASE_POOL: '6',
    DAYBOOK_DATA_DIR: folder,
    LOG_LEVEL: 'silent',
    TRUSTED_PROXIES: '127.0.0.1',
  })
  const daybook = await startEmbedded(config, undefined, openPool)
  const admin = connect(target, { max: 2, applicationName: 'operator' })
  onTestFinished(async () => {
    await daybook.close()
    await admin.end({ timeout: 1 })
    rmSync(folder, { recursive: true, force: true })
  })
  return { ...daybook, admin }
}

async function live({ url, sql, admin }: Awaited<ReturnType<typeof daybookOn>>, actions: number) {
  const api = createApiClient((path, init) => fetch(url + path, init))
  const wrong: string[] = []
  const innocents = await Promise.all(
    Array.from({ length: INNOCENTS }, async (_, nth) =>
      innocent(api, await api.register(), createRandom(SEED * INNOCENTS + nth), wrong),
    ),
  )
  const mishaps = await startMishaps({ sql, admin, api }, createRandom(SEED), wrong)
  onTestFinished(mishaps.stop)
  let left = actions
  await Promise.all(
    innocents.map(async (one) => {
      while ((left-- > 0 || mishaps.count() < MIN_MISHAPS) && wrong.length === 0) await one.act()
    }),
  )
  await mishaps.stop()
  return { wrong, innocents }
}

it(
  `while statements fail in mid-stream, nobody else gets a wrong answer (seed ${SEED})`,
  async () => {
    const daybook = await daybookOn()
    const { wrong, innocents } = await live(daybook, ACTIONS)
    expect(wrong).toEqual([])
    await vi.waitFor(
      async () => expect((await Promise.all(innocents.map((one) => one.owed()))).flat()).toEqual([]),
      { timeout: 30_000, interval: 100 },
    )
    expect(wrong).toEqual([])
    expect(await invariantViolations(daybook.admin)).toEqual([])
  },
  TIMEOUT_MS,
)

it(
  'on the driver without its cure they do',
  async () => {
    const postgres = await woundedDriver()
    const daybook = await daybookOn((...settings) => postgres(connect(...settings).options as object) as Sql)
    const { wrong } = await live(daybook, 20_000)
    expect(wrong).not.toEqual([])
  },
  TIMEOUT_MS,
)
