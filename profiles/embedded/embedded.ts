import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hono } from 'hono'
import { readResources, resourcesForApps, type Resources } from '../../dapr/embedded/resources.ts'
import { ensureSchema } from '../../dapr/embedded/schema.ts'
import { createSidecar, type Sidecar } from '../../dapr/embedded/sidecar.ts'
import { SYSTEM_RESOURCES, type ComposedDeps } from '../../functions/compose.ts'
import { loadFunctions } from '../../functions/main.ts'
import { runFunctions, type Daybook } from '../../functions/serve-unit.ts'
import type { Config } from '../../shared/config.ts'
import { followZoneDatabase } from '../../shared/app/tasks/follow-zones.ts'
import { createBroker } from '../../shared/dapr/broker.ts'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { prepareDatabase, type DatabaseTargets } from '../../shared/db/prepare-database.ts'
import type { AppEnv } from '../../shared/kit/base-app.ts'
import { failToStart } from '../../shared/kit/process.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { createLogger, type Logger } from '../../shared/observability/logger.ts'
import { ownFolder } from '../../shared/private-folder.ts'
import { loadUnits } from '../load-units.ts'
import { startMailRelay } from '../mail-relay/relay.ts'

const COMPONENTS = fileURLToPath(new URL('../../dapr/components/', import.meta.url))

/** Durability stays at its default; commits that come together wait a moment for each other and share one flush. */
export const SERVER_SETTINGS = { commit_delay: '1000', commit_siblings: '4' }

export interface EmbeddedDaybook {
  url: string
  sql: Sql
  sidecar: Sidecar
  /** How many tasks and series have other instants by the zone database that this process came with. */
  moved: number
  /** Finishes requests and deliveries, then closes the pools and the database. */
  close(): Promise<void>
}

/**
 * The embedded profile in this process: every function, PostgreSQL and the sidecar, data kept in `config.dataDir`.
 * `extend` adds routes of a benchmark or a test to the same app before it serves; a test of faults opens pools that have one.
 */
export async function startEmbedded(
  config: Config,
  extend?: (app: Hono<AppEnv>, deps: ComposedDeps, sql: Sql) => void,
  openPool = connect,
): Promise<EmbeddedDaybook> {
  const log = createLogger({ level: config.logLevel, service: 'daybook' })
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    ownFolder(config.dataDir)
    const database = await openDatabase(config, log)
    closers.push(database.stop)
    await prepareDatabase(database, { schema: 'dapr', make: ensureSchema })
    closers.push(tellPid(config))
    const pool = (max: number, applicationName: string) => {
      const sql = openPool(database.target, { max, applicationName, prepare: config.database.prepare })
      closers.push(() => sql.end({ timeout: 5 }))
      return sql
    }
    const sql = pool(config.database.pool, 'daybook')
    const env = await environmentWithMail(config, closers)
    const appToken = config.dapr.appToken ?? systemIds.hex(32)
    let daybook: Daybook | undefined
    const sidecar = createSidecar({
      appId: 'daybook',
      sql: pool(5, 'daybook-sidecar'),
      resources: await resourcesOfAllUnits(),
      app: (request) => daybook?.app.fetch(request) ?? new Response(null, { status: 503 }),
      clock: systemClock,
      fetch,
      env,
      dataDir: config.dataDir,
      logger: log,
      appToken,
    })
    const sidecarFetch = (url: string, init: RequestInit) => sidecar.fetch(new Request(url, init))
    const ownUrl = () => daybook && `http://${hostOf(config)}:${daybook.server.port}`
    const resources = { ...SYSTEM_RESOURCES, sql, log, sidecarFetch, appToken, ownUrl, createBroker: ordered }
    let moved = 0
    daybook = await runFunctions(
      withCheckpoints(config),
      resources,
      await loadFunctions(),
      async (app, deps) => {
        extend?.(app, deps, sql)
        moved = await followZoneDatabase(deps, 'cron/follow-zones')
      },
    )
    closers.push(sidecar.stop, daybook.close)
    await sidecar.start()
    return { url: ownUrl()!, sql, sidecar, moved, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** On the disk of the database, for want of another. */
const withCheckpoints = (config: Config): Config => ({
  ...config,
  audit: { ...config.audit, checkpoints: config.audit.checkpoints ?? join(config.dataDir, 'checkpoints') },
})

/** The embedded broker takes the events of a call in one statement, and refuses whatever is behind one that it refuses. */
const ordered: typeof createBroker = (dapr, pubsub, log) => createBroker(dapr, pubsub, log, 100)

/** One sidecar stands for every unit here, so it gets the components in the scope of any of them. */
async function resourcesOfAllUnits(): Promise<Resources> {
  const appIds = (await loadUnits()).map(({ id }) => id)
  return resourcesForApps(await readResources(COMPONENTS), appIds)
}

/**
 * Writes the number of this process into `daybook.pid`, for `kill $(cat …)`; returns how to take it away. What a killed
 * Daybook has left is overwritten, what belongs to a living one is left alone: with a DATABASE_URL two can share a folder.
 */
function tellPid({ dataDir, database }: Config): () => Promise<void> {
  const path = join(dataDir, 'daybook.pid')
  const own = `${process.pid}\n`
  const written = () => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  // A PostgreSQL of its own has said already that this process is alone.
  if (!database.url || !isAlive(Number(written()))) writeFileSync(path, own, { mode: 0o600 })
  return async () => {
    if (written() === own) rmSync(path, { force: true })
    return await Promise.resolve()
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Mail goes to the service in DAYBOOK_MAIL_URL, or else to a relay of our own, in this process. */
async function environmentWithMail(
  config: Config,
  closers: (() => Promise<unknown>)[],
): Promise<Config['environment']> {
  if (config.environment['DAYBOOK_MAIL_URL']) return config.environment
  const relay = await startMailRelay(config)
  closers.push(relay.close)
  return {
    ...config.environment,
    DAYBOOK_MAIL_URL: relay.url,
    DAYBOOK_MAIL_AUTHORIZATION: relay.authorization,
  }
}

async function openDatabase(
  config: Config,
  log: Logger,
): Promise<DatabaseTargets & { stop: () => Promise<void> }> {
  const { url, migrationUrl } = config.database
  if (url) return { target: url, ownerTarget: migrationUrl ?? url, stop: async () => {} }
  const watch = {
    onEnd: () => log.error({}, 'restarting PostgreSQL after it ended'),
    onRevived: () => log.info({}, 'restarted PostgreSQL'),
    onLost: failToStart,
  }
  const { runtimeDir } = config
  const server = await startEmbeddedPostgres(config.dataDir, SERVER_SETTINGS, { watch, runtimeDir })
  return { target: server.target, ownerTarget: server.as('owner'), stop: server.stop }
}

const hostOf = ({ http }: Config): string => (http.host.includes(':') ? `[${http.host}]` : http.host)
