import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRecordingApp, type RecordingApp } from '../../testing/sidecar/recording-app.ts'
import { serveApp } from '../../testing/conformance/harness/served-app.ts'
import { parseResources } from '../../dapr/embedded/resources.ts'
import { createSidecar } from '../../dapr/embedded/sidecar.ts'
import { connect } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres } from '../../profiles/embedded/embedded-postgres.ts'
import { systemClock } from '../../shared/kit/system.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import type { SelfHosted } from '../../profiles/self-hosted/start-self-hosted.ts'
import { startDaprd } from '../../tools/dapr/daprd.ts'

export const SUBSCRIBED = 'bench-delivered'
export const CRON_EVERY_MS = 2000

/** A sidecar of an app that notes what it is called with. */
export interface Blocks {
  readonly app: RecordingApp
  call(path: string, init?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

const resources = (pubsub: string, connectionString: string): string =>
  [
    `metadata: { name: pubsub }\nspec: ${pubsub}`,
    `metadata: { name: statestore }\nspec: { type: state.postgresql, version: v2, metadata: [
      { name: connectionString, value: "${connectionString}" }, { name: tablePrefix, value: bench_ } ] }`,
    `metadata: { name: tick }\nspec: { type: bindings.cron, version: v1, metadata: [
      { name: schedule, value: "@every ${CRON_EVERY_MS / 1000}s" }, { name: direction, value: input } ] }`,
  ]
    .map((part) => `apiVersion: dapr.io/v1alpha1\nkind: Component\n${part}\n`)
    .join('---\n')

const kafka = (brokers: string): string =>
  `{ type: pubsub.kafka, version: v1, metadata: [ { name: brokers, value: "${brokers}" },
    { name: authType, value: none }, { name: initialOffset, value: oldest }, { name: version, value: 3.6.0 } ] }`

function benchApp(): RecordingApp {
  const app = createRecordingApp()
  app.subscriptions = [{ pubsubname: 'pubsub', topic: SUBSCRIBED, route: '/delivered' }]
  return app
}

/** The embedded sidecar on a PostgreSQL of its own, called as Daybook calls it: without a socket. */
export async function embeddedBlocks(dataDir: string): Promise<Blocks> {
  mkdirSync(dataDir, { recursive: true })
  const database = await startEmbeddedPostgres(dataDir)
  const sql = connect(database.as('owner'), { max: 10, applicationName: 'bench' })
  const app = benchApp()
  const sidecar = createSidecar({
    appId: 'bench',
    sql,
    app: (request: Request) => app.fetch(request),
    clock: systemClock,
    fetch,
    env: {},
    dataDir,
    logger: silentLogger,
    appToken: 'bench',
    resources: parseResources([{ file: 'bench.yaml', text: resources(kafka('none'), 'none') }]),
  })
  await sidecar.start()
  return {
    app,
    call: async (path, init) => await sidecar.fetch(new Request(`http://sidecar${path}`, init)),
    stop: async () => {
      await sidecar.stop()
      await sql.end({ timeout: 5 })
      await database.stop()
    },
  }
}

/** A daprd beside those of a self-hosted Daybook, on the same Kafka, PostgreSQL and scheduler. */
export async function realBlocks(daybook: SelfHosted): Promise<Blocks> {
  const folder = join(daybook.dataDir, 'bench-resources')
  mkdirSync(folder, { recursive: true })
  const brokers = `127.0.0.1:${daybook.ports.broker[0]}`
  writeFileSync(join(folder, 'bench.yaml'), resources(kafka(brokers), daybook.stateUrl))
  const app = benchApp()
  const served = await serveApp((request) => app.fetch(request))
  const daprd = await startDaprd({
    appId: 'bench',
    appPort: served.port,
    resourcesPaths: [folder],
    schedulerAddress: `127.0.0.1:${daybook.ports.scheduler.api}`,
    logFile: join(daybook.dataDir, 'logs', 'bench-daprd.log'),
    env: { DAPR_API_TOKEN: undefined, APP_API_TOKEN: undefined },
  })
  await daprd.whenHealthy()
  return {
    app,
    call: async (path, init) => await fetch(daprd.baseUrl + path, init),
    stop: async () => {
      await daprd.stop()
      await served.close()
    },
  }
}
