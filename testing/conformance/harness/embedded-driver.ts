import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Sql } from '../../../shared/db/connect.ts'
import { silentLogger } from '../../../shared/observability/logger.ts'
import { testDatabase } from '../../worlds/database.ts'
import { parseResources } from '../../../dapr/embedded/resources.ts'
import { createSidecar, type Sidecar } from '../../../dapr/embedded/sidecar.ts'
import { mortal } from '../../sidecar/mortal-sql.ts'
import { temporaryDirectory } from '../../sidecar/embedded-sidecar.ts'
import { pubsubComponent, stateComponent } from './components.ts'
import type { Driver, SidecarSetup } from './sidecar.ts'

const databases = new WeakMap<Driver, Sql>()

/** The embedded sidecar, reached by its fetch function. */
export async function startEmbeddedDriver(setup: SidecarSetup): Promise<Driver> {
  const { appId, app, env, apiToken, appToken, peers } = setup
  const sql = (setup.beside && databases.get(setup.beside)) ?? (await testDatabase())
  const dataDir = await temporaryDirectory()
  await writeFile(join(dataDir, 'secrets.json'), JSON.stringify(setup.secrets))
  const texts = [
    ...(setup.hasPubsub ? [pubsubComponent('pubsub')] : []),
    ...(setup.hasState ? [stateComponent(null)] : []),
    ...setup.resources,
  ]
  const resources = parseResources(texts.map((text, index) => ({ file: `${index}.yaml`, text })))
  let isAppAway = false
  const create = (pool: Sql) =>
    createSidecar({
      appId,
      sql: pool,
      resources,
      dataDir,
      env,
      logger: silentLogger,
      app: async (request) => {
        if (isAppAway) throw new TypeError('fetch failed')
        return await app.fetch(request)
      },
      clock: { now: () => new Date(Date.now()) },
      fetch,
      apps: new Map(Object.entries(peers).map(([name, peer]) => [name, (request) => peer.fetch(request)])),
      ...(apiToken !== undefined && { apiToken }),
      ...(appToken !== undefined && { appToken }),
    })
  let pool = mortal(sql)
  let sidecar: Sidecar = create(pool)
  await sidecar.start()
  afterAll(() => sidecar.stop())
  const driver: Driver = {
    appId,
    app,
    call: async (path, init) => await sidecar.fetch(new Request(`http://sidecar${path}`, init)),
    stop: async () => await sidecar.stop(),
    async crash() {
      pool.die()
      sidecar.pause()
    },
    async stopApp() {
      isAppAway = true
    },
    async startApp() {
      isAppAway = false
    },
    async start() {
      pool = mortal(sql)
      sidecar = create(pool)
      await sidecar.start()
    },
  }
  databases.set(driver, sql)
  return driver
}
