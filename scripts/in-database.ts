import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { readConfig } from '../shared/config.ts'
import { connect, type ConnectionTarget, type Sql } from '../shared/db/connect.ts'
import { requireMigrated } from '../shared/db/migrate.ts'

/** Works in the database of DATABASE_URL, or in the embedded one whether it runs or not. */
export async function inDatabase<T>(
  applicationName: string,
  work: (sql: Sql, place: { target: ConnectionTarget; dataDir: string }) => Promise<T>,
): Promise<T> {
  const { database, dataDir, runtimeDir } = readConfig()
  const { target, stop } = database.url
    ? { target: database.url, stop: async () => {} }
    : await joinEmbeddedPostgres(dataDir, { runtimeDir })
  const sql = connect(target, { max: 1, applicationName, prepare: database.prepare })
  try {
    await requireMigrated(sql)
    return await work(sql, { target, dataDir })
  } finally {
    await sql.end({ timeout: 5 })
    await stop()
  }
}
