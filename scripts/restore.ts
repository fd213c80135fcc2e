import { BackupError } from '../profiles/embedded/backup/backup-folder.ts'
import { restoreBackup } from '../profiles/embedded/backup/restore-backup.ts'
import { readArguments } from '../shared/arguments.ts'
import { readConfig } from '../shared/config.ts'
import { explain } from '../shared/kit/process.ts'

// `npm run restore -- --from FOLDER [--at 2027-03-01T09:00:00Z]`: makes the data in DAYBOOK_DATA_DIR, where there is none, as
// it was at a moment, or as it is at the end of the archive (docs/operations.md).
const USAGE = 'npm run restore -- --from FOLDER [--at 2027-03-01T09:00:00Z]'
const { values } = readArguments(USAGE, {
  options: { from: { type: 'string' }, at: { type: 'string' } },
})

try {
  if (values.from === undefined) throw new Error(`Usage: ${USAGE}`)
  const { database, dataDir } = readConfig()
  if (database.url)
    throw new BackupError(
      'database.not_embedded',
      'DATABASE_URL is a server with backups of its own; unset it to restore embedded data.',
    )
  const at = values.at === undefined ? undefined : instantOf(values.at)
  const { lastCommit } = await restoreBackup({ from: values.from, dataDir, at })
  const last = lastCommit === undefined ? '' : ` The last transaction in it is of ${lastCommit}.`
  process.stdout.write(
    `${dataDir} is restored.${last} Start Daybook, then take a backup into a new folder.\n`,
  )
} catch (error) {
  process.stderr.write(`Nothing restored: ${explain(error)}\n`)
  process.exitCode = 1
}

/** With its offset from UTC: without it would be a time of whatever zone the machine is in. */
function instantOf(text: string): Date {
  const at = new Date(text)
  if (Number.isNaN(at.getTime()) || !/(Z|[+-]\d\d:\d\d)$/.test(text))
    throw new Error(`--at must be an instant such as 2027-03-01T09:00:00Z, not ${text}`)
  return at
}
