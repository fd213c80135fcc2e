import { readConfig, type Config } from '../shared/config.ts'
import { installHttp } from '../shared/dapr/http.ts'
import { connect, type Sql } from '../shared/db/connect.ts'
import { requireMigrated } from '../shared/db/migrate.ts'
import type { DaybookFunction } from '../shared/kit/mount-functions.ts'
import { createLogger, type Logger } from '../shared/observability/logger.ts'

/** What a unit has before it has its functions. */
export interface OpenedUnit {
  config: Config
  log: Logger
  sql: Sql
  appToken: string
}

interface LoadedUnit {
  functions: readonly DaybookFunction[]
  serveUnit(unit: OpenedUnit, functions: readonly DaybookFunction[]): Promise<void>
}

/** A deployed unit, its sidecar on DAPR_HTTP_PORT. `load` brings what it is made of; meanwhile the database answers. */
export async function startUnit(load: () => Promise<LoadedUnit>): Promise<void> {
  // First: what is loaded after it finds the fetch of this process, and not another to load.
  installHttp()
  const opening = open(readConfig())
  opening.catch(() => {}) // thrown below
  const { functions, serveUnit } = await load()
  await serveUnit(await opening, functions)
}

async function open(config: Config): Promise<OpenedUnit> {
  const { url, pool, prepare } = config.database
  const { appToken } = config.dapr
  if (!url) throw new Error('DATABASE_URL is not set; it names the PostgreSQL of this Daybook.')
  if (!appToken) throw new Error('APP_API_TOKEN is not set; the sidecar sends it with every callback.')
  const log = createLogger({ level: config.logLevel, service: 'daybook' })
  const sql = connect(url, { max: pool, applicationName: 'daybook', prepare })
  // Units come and go and may not change tables; whoever deploys them migrates first.
  await requireMigrated(sql)
  return { config, log, sql, appToken }
}
