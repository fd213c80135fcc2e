import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Hono } from 'hono'
import { readResources, resourcesForApps, type Resources } from '../dapr/embedded/resources.ts'
import { createSidecar, type Sidecar } from '../dapr/embedded/sidecar.ts'
import type { ComposedDeps } from '../functions/compose.ts'
import { runFunctions, type Daybook } from '../functions/main.ts'
import type { Config } from '../shared/config.ts'
import { connect, type ConnectionTarget, type Sql } from '../shared/db/connect.ts'
import { startEmbeddedPostgres } from '../shared/db/embedded-postgres.ts'
import { migrate } from '../shared/db/migrate.ts'
import type { AppEnv } from '../shared/kit/base-app.ts'
import { failToStart } from '../shared/kit/process.ts'
import { systemClock } from '../shared/kit/system.ts'
import { createLogger, type Logger } from '../shared/observability/logger.ts'
import { loadUnits } from './load-units.ts'
import { startMailRelay } from './mail-relay/relay.ts'

const COMPONENTS = fileURLToPath(new URL('../dapr/components/', import.meta.url))

/** Durability stays at its default; commits that come together wait a moment for each other and share one flush. */
export const SERVER_SETTINGS = { commit_delay: '1000', commit_siblings: '4' }

export interface EmbeddedDaybook {
  url: string
  sql: Sql
  sidecar: Sidecar
  /** Finishes requests and deliveries, then closes the pools and the database. */
  close(): Promise<void>
}

/**
 * The embedded profile in this process: every function, PostgreSQL and the sidecar, data kept in `config.dataDir`.
 * `extend` adds routes of a benchmark or a test to the same app before it serves.
 */
export async function startEmbedded(
  config: Config,
  extend?: (app: Hono<AppEnv>, deps: ComposedDeps, sql: Sql) => void,
): Promise<EmbeddedDaybook> {
  const log = createLogger({ level: config.logLevel, service: 'daybook' })
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    const database = await openDatabase(config, log)
    closers.push(database.stop)
    const pool = (max: number, applicationName: string) => {
      const sql = connect(database.target, { max, applicationName, prepare: config.database.prepare })
      closers.push(() => sql.end({ timeout: 5 }))
      return sql
    }
    const sql = pool(config.database.pool, 'daybook')
    await migrate(sql)

    const env = await environmentWithMail(config, closers)
    const appToken = config.dapr.appToken ?? randomBytes(32).toString('hex')
    let daybook: Daybook | undefined
    const sidecar = createSidecar({
      ...{ appId: 'daybook', sql: pool(5, 'daybook-sidecar'), resources: await resourcesOfAllUnits() },
      app: (request) => daybook?.app.fetch(request) ?? new Response(null, { status: 503 }),
      ...{ clock: systemClock, fetch, env, dataDir: config.dataDir, logger: log, appToken },
    })
    const sidecarFetch = (url: string, init: RequestInit) => sidecar.fetch(new Request(url, init))
    const outside = { sql, log, sidecarFetch, appToken }
    daybook = await runFunctions(config, outside, {
      ...(extend && { extend: (app: Hono<AppEnv>, deps: ComposedDeps) => extend(app, deps, sql) }),
    })
    closers.push(sidecar.stop, daybook.close)
    await sidecar.start()
    return { url: `http://${hostOf(config)}:${daybook.server.port}`, sql, sidecar, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** One sidecar stands for every unit here, so it gets the components in the scope of any of them. */
async function resourcesOfAllUnits(): Promise<Resources> {
  const appIds = (await loadUnits()).map(({ id }) => id)
  return resourcesForApps(await readResources(COMPONENTS), appIds)
}

/** Mail goes to the service in DAYBOOK_MAIL_URL, or else to a relay of our own, in this process. */
async function environmentWithMail(
  config: Config,
  closers: (() => Promise<unknown>)[],
): Promise<Config['environment']> {
  if (config.environment['DAYBOOK_MAIL_URL']) return config.environment
  const relay = await startMailRelay(config)
  closers.push(relay.close)
  return { ...config.environment, DAYBOOK_MAIL_URL: relay.url }
}

async function openDatabase(
  config: Config,
  log: Logger,
): Promise<{ target: ConnectionTarget; stop: () => Promise<void> }> {
  const { url } = config.database
  return url
    ? { target: url, stop: async () => {} }
    : await startEmbeddedPostgres(config.dataDir, SERVER_SETTINGS, {
        onEnd: () => log.error({}, 'PostgreSQL has ended; it is started again'),
        onRevived: () => log.info({}, 'PostgreSQL runs again'),
        onLost: failToStart,
      })
}

const hostOf = ({ http }: Config): string => (http.host.includes(':') ? `[${http.host}]` : http.host)
