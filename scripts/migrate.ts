import { readConfig, type Config } from '../shared/config.ts'
import { connect } from '../shared/db/connect.ts'
import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { migrationStatus } from '../shared/db/migrate.ts'
import { prepareDatabase, type DatabaseTargets } from '../shared/db/prepare-database.ts'
import { readArguments } from '../shared/arguments.ts'
import { explain } from '../shared/kit/process.ts'

// `npm run migrate [-- --status]`: brings the tables and functions of DATABASE_URL or of the embedded database up to date, as their owner
// (DATABASE_MIGRATION_URL), and opens their rows to the role of DATABASE_URL, and counts of them to DATABASE_SCALER_ROLE. Waits while another process migrates.
const say = (line: string) => void process.stdout.write(`${line}\n`)

const { values } = readArguments('npm run migrate [-- --status]', {
  options: { status: { type: 'boolean', default: false } },
})

try {
  const { stop, ...targets } = await openDatabase(readConfig())
  try {
    await (values.status ? tellStatus(targets) : migrateNow(targets))
  } finally {
    await stop()
  }
} catch (error) {
  process.stderr.write(`failed to migrate: ${explain(error)}\n`)
  process.exitCode = 1
}

async function migrateNow(targets: DatabaseTargets): Promise<void> {
  const applied = await prepareDatabase(targets)
  for (const name of applied) say(`applied  ${name}`)
  say(applied.length === 0 ? 'The database is up to date.' : 'The database is up to date now.')
}

async function tellStatus({ ownerTarget }: DatabaseTargets): Promise<void> {
  const sql = connect(ownerTarget, { max: 1, applicationName: 'daybook-migrate' })
  try {
    const { applied, pending } = await migrationStatus(sql)
    for (const { name, appliedAt } of applied) say(`applied  ${name}  ${appliedAt.toISOString()}`)
    for (const name of pending) say(`pending  ${name}`)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function openDatabase({ database, dataDir, runtimeDir }: Config) {
  const { url, migrationUrl, scalerRole } = database
  if (url) return { target: url, ownerTarget: migrationUrl ?? url, scalerRole, stop: async () => {} }
  const server = await joinEmbeddedPostgres(dataDir, { runtimeDir })
  return { target: server.target, ownerTarget: server.as('owner'), stop: server.stop }
}
