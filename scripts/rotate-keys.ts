import { readConfig } from '../shared/config.ts'
import { connect, type ConnectionTarget } from '../shared/db/connect.ts'
import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { requireMigrated } from '../shared/db/migrate.ts'
import { explain } from '../shared/kit/process.ts'
import { createKeyRing } from '../shared/identity/signing-keys.ts'
import { systemClock } from '../shared/kit/system.ts'

// `npm run keys:rotate`: a new signing key, in the database of DATABASE_URL or the embedded one.
try {
  const { database, dataDir, runtimeDir } = readConfig()
  const { target, stop } = database.url
    ? { target: database.url, stop: async () => {} }
    : await joinEmbeddedPostgres(dataDir, { runtimeDir })
  const place = describePlace(target, dataDir)
  const sql = connect(target, { max: 1, applicationName: 'daybook-keys', prepare: database.prepare })
  try {
    await requireMigrated(sql)
    const kid = await createKeyRing({ store: createIdentityStore(sql), clock: systemClock }).rotate()
    process.stdout.write(
      `Key ${kid} in ${place} signs from now on; running processes use it within ten minutes.\n`,
    )
  } finally {
    await sql.end({ timeout: 5 })
    await stop()
  }
} catch (error) {
  process.stderr.write(`No new key: ${explain(error)}\n`)
  process.exitCode = 1
}

/** Which database has the key, without user and password. */
function describePlace(target: ConnectionTarget, dataDir: string): string {
  if (typeof target !== 'string') return `the data of ${dataDir}`
  const { host, pathname, searchParams } = new URL(target)
  return `the database ${pathname.slice(1)} at ${searchParams.get('host') ?? host}`
}
