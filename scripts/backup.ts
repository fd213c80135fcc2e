import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { BackupError } from '../profiles/embedded/backup/backup-folder.ts'
import { takeBackup } from '../profiles/embedded/backup/take-backup.ts'
import { readArguments } from '../shared/arguments.ts'
import { readConfig } from '../shared/config.ts'
import { connect } from '../shared/db/connect.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock } from '../shared/kit/system.ts'

// `npm run backup -- --to FOLDER`: a copy of the data of DAYBOOK_DATA_DIR, whether Daybook runs or not; from then on its log
// is archived there. Each later `npm run backup` adds a copy and removes the oldest (docs/operations.md).
const { values } = readArguments('npm run backup [-- --to FOLDER --keep COPIES]', {
  options: { to: { type: 'string' }, keep: { type: 'string', default: '7' } },
})

try {
  const keep = Number(values.keep)
  if (!Number.isInteger(keep) || keep < 1) throw new Error('--keep must be a whole number from 1.')
  const { database, dataDir, runtimeDir } = readConfig()
  if (database.url)
    throw new BackupError(
      'database.not_embedded',
      'DATABASE_URL is a server with backups of its own, pgBackRest or those of its provider; see docs/operations.md.',
    )
  const server = await joinEmbeddedPostgres(dataDir, { runtimeDir })
  const sql = connect(server.as('superuser'), { max: 1, applicationName: 'daybook-backup' })
  try {
    const { folder, name } = await takeBackup(sql, { dataDir, folder: values.to, keep, now: systemClock.now })
    process.stdout.write(`${folder} has a copy of ${name} and the log since.\n`)
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
  }
} catch (error) {
  process.stderr.write(`No backup: ${explain(error)}\n`)
  process.exitCode = 1
}
