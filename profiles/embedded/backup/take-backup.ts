import { existsSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../../shared/db/connect.ts'
import { ARCHIVE_TIMEOUT_S } from './archive.ts'
import {
  BackupError,
  basesIn,
  isLink,
  ownBackupFolder,
  prune,
  requireSpace,
  walIn,
  type Owner,
} from './backup-folder.ts'
import { copyFiles, flush } from './copy-files.ts'

/** Any number will do: it names "the process that takes a backup of this data". */
const BACKUP_LOCK = 7_246_002
const ARCHIVE_PAUSE_MS = 100
const ARCHIVE_PATIENCE_MS = 60_000

/** What belongs to the running server, or is made anew at its start (pg_basebackup leaves out the same). */
const FOLDERS_OF_THE_RUN =
  /^(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)$/
const FILES_OF_THE_RUN =
  /(^|\/)(postmaster\.(pid|opts)|server\.log(\.old)?|pgsql_tmp[^/]*|pg_internal\.init)$/
const PG_CONTROL = 'global/pg_control'

export interface BackupRequest {
  dataDir: string
  /** Named once; later ones go to the same. */
  folder?: string | undefined
  /** So many copies are left. */
  keep: number
  now(): Date
}

export interface Backup {
  folder: string
  name: string
}

/**
 * Copies the data of a server while it works, as its superuser, and from the first time on has it archive its log: to any
 * moment after the end of a copy the data can be restored. What is missing at the end is what the last half minute wrote.
 */
export async function takeBackup(sql: Sql, request: BackupRequest): Promise<Backup> {
  const { keep, now } = request
  const root = resolve(request.dataDir)
  const [state] = await sql<(Owner & { archives: boolean; bytes: bigint; isFree: boolean })[]>`
    select system_identifier::text as system, timeline_id as timeline, current_setting('archive_mode') = 'on' as archives,
      (select sum(pg_database_size(oid))::bigint from pg_database) as bytes, pg_try_advisory_lock(${BACKUP_LOCK}) as "isFree"
    from pg_control_system(), pg_control_checkpoint()`
  if (!state?.isFree)
    throw new BackupError('backup.busy', 'Another backup of this data is being taken; wait for it.')
  if (!state.archives)
    throw new BackupError(
      'backup.not_configured',
      'The running PostgreSQL is of an earlier Daybook and keeps no archive; stop Daybook and start it again.',
    )
  const folder = folderOf(root, request.folder)
  ownBackupFolder(folder, state)
  requireSpace(folder, Number(state.bytes))
  await archiveTo(sql, root, folder)

  rmSync(join(basesIn(folder), DRAFT), { recursive: true, force: true })
  const name = now().toISOString().replaceAll(':', '-')
  const draft = join(basesIn(folder), DRAFT)
  const cluster = join(root, 'postgres')
  const failuresBefore = await failures(sql)
  const [start] = await sql<{ segment: string }[]>`
    select pg_walfile_name(pg_backup_start(${`daybook ${name}`}, true)) as segment`
  await copyFiles(cluster, join(draft, 'data'), {
    isLeftOut: (path) => FOLDERS_OF_THE_RUN.test(path) || FILES_OF_THE_RUN.test(path) || path === PG_CONTROL,
  })
  // Last, so that it is not older than any page; of what is newer the log tells.
  await copyFiles(join(cluster, 'global'), join(draft, 'data/global'), {
    isLeftOut: (path) => path !== '' && path !== 'pg_control',
  })
  const [stop] = await sql<{ segment: string; label: string }[]>`
    select pg_walfile_name(lsn) as segment, labelfile as label from pg_backup_stop(false)`
  const endedAt = now()
  write(join(draft, 'data/backup_label'), stop!.label)
  write(join(draft, 'base.json'), JSON.stringify({ firstSegment: start!.segment, endedAt }))
  await Promise.all(['data/backup_label', 'base.json', 'data', ''].map((path) => flush(join(draft, path))))
  await untilArchived(sql, join(walIn(folder), `${stop!.segment}.gz`), failuresBefore)
  renameSync(draft, join(basesIn(folder), name))
  await flush(basesIn(folder))
  prune(folder, keep)
  return { folder, name }
}

const DRAFT = 'draft'
const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 })

function folderOf(root: string, named: string | undefined): string {
  const link = join(root, 'backup')
  if (named !== undefined) return resolve(named)
  if (isLink(link)) return readlinkSync(link)
  throw new BackupError(
    'backup.not_configured',
    'Name a folder the first time: npm run backup -- --to FOLDER.',
  )
}

async function archiveTo(sql: Sql, root: string, folder: string): Promise<void> {
  const link = join(root, 'backup')
  if (!isLink(link) || readlinkSync(link) !== folder) {
    rmSync(link, { force: true })
    symlinkSync(folder, link)
  }
  await sql.unsafe(`alter system set archive_timeout = ${ARCHIVE_TIMEOUT_S}`)
  await sql`select pg_reload_conf()`
}

async function failures(sql: Sql): Promise<number> {
  const [row] = await sql<{ failed: number }[]>`select failed_count::int as failed from pg_stat_archiver`
  return row?.failed ?? 0
}

async function untilArchived(sql: Sql, path: string, failuresBefore: number): Promise<void> {
  const until = performance.now() + ARCHIVE_PATIENCE_MS
  while (!existsSync(path)) {
    if ((await failures(sql)) > failuresBefore || performance.now() > until)
      throw new BackupError(
        'backup.archive_failed',
        `PostgreSQL cannot write ${path}; see server.log beside its data, make room or name another folder.`,
      )
    await delay(ARCHIVE_PAUSE_MS)
  }
}
