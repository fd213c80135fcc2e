import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ownFolder, privateFolder } from '../../../shared/private-folder.ts'
import { connect } from '../../../shared/db/connect.ts'
import { EMBEDDED_ROLES } from '../embedded-roles.ts'
import { postgresPrograms, serverUser } from '../postgres-programs.ts'
import {
  BackupError,
  basesOf,
  dataOf,
  positionOf,
  requireReadable,
  requireSpace,
  SEGMENT_BYTES,
  segmentsFrom,
  walIn,
  type Base,
} from './backup-folder.ts'
import { copyFiles } from './copy-files.ts'

const unpack = promisify(gunzip)
const RECOVERY_PAUSE_MS = 100

export interface RestoreRequest {
  /** The backup folder. */
  from: string
  /** Where there is no data yet. */
  dataDir: string
  /** Without it, all that is in the archive. */
  at?: Date | undefined
}

export interface Restored {
  /** When the last transaction that is in it was committed, as PostgreSQL says it; undefined when none followed the copy. */
  lastCommit: string | undefined
}

/** Makes the data as it was at a moment. What it makes becomes visible when it is whole. */
export async function restoreBackup({ from, dataDir, at }: RestoreRequest): Promise<Restored> {
  const folder = resolve(from)
  const root = resolve(dataDir)
  const cluster = join(root, 'postgres')
  if (existsSync(cluster))
    throw new BackupError(
      'data.present',
      `There is data in ${root}; stop its Daybook and move ${cluster} away, or set DAYBOOK_DATA_DIR to another folder.`,
    )
  requireReadable(folder)
  const base = baseFor(basesOf(folder), at)
  ownFolder(root)
  requireSpace(root, sizeOf(dataOf(folder, base.name)) + 4 * SEGMENT_BYTES)
  await checkLog(folder, base)

  const draft = mkdtempSync(`${cluster}.`)
  const sockets = mkdtempSync(join(tmpdir(), 'daybook-restore-'))
  try {
    await copyFiles(dataOf(folder, base.name), draft, { owner: serverUser() })
    const lastCommit = await recover({ root, draft, sockets, folder, at })
    // What follows is another history: it goes to a folder of its own when it is told to.
    rmSync(join(root, 'backup'), { force: true })
    renameSync(draft, cluster)
    return { lastCommit }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    rmSync(sockets, { recursive: true, force: true })
  }
}

function baseFor(bases: readonly Base[], at: Date | undefined): Base {
  const base = bases.findLast(({ endedAt }) => at === undefined || endedAt <= at)
  if (base) return base
  const [first] = bases
  if (!first) throw new BackupError('backup.absent', 'No backup has been finished in this folder.')
  throw new BackupError(
    'backup.too_early',
    `The first moment that can be restored is ${first.endedAt.toISOString()}.`,
  )
}

/** PostgreSQL takes a segment that it cannot get for the end of the log, so a hole would go unnoticed. */
async function checkLog(folder: string, { firstSegment }: Base): Promise<void> {
  const damaged = (name: string) =>
    new BackupError(
      'backup.damaged',
      `${join(walIn(folder), name)}.gz is missing or damaged; restore to a moment before it from an older copy, or from a copy of the folder.`,
    )
  let expected = positionOf(firstSegment)
  for (const name of segmentsFrom(folder, firstSegment)) {
    if (positionOf(name) !== expected) throw damaged(`the segment before ${name}`)
    const content = await unpack(readFileSync(join(walIn(folder), `${name}.gz`))).catch(() => undefined)
    if (content?.length !== SEGMENT_BYTES) throw damaged(name)
    expected += 1
  }
  if (expected === positionOf(firstSegment)) throw damaged(firstSegment)
}

interface Recovery {
  root: string
  draft: string
  sockets: string
  folder: string
  at: Date | undefined
}

/** Starts the server on the copy until it has replayed the log, and stops it again. */
async function recover({ root, draft, sockets, folder, at }: Recovery): Promise<string | undefined> {
  const { pgCtl } = await postgresPrograms(root)
  const log = join(draft, 'server.log')
  const link = join(draft, 'restore_from')
  symlinkSync(walIn(folder), link)
  const user = serverUser()
  if (user !== undefined) chownSync(sockets, user, user)
  privateFolder(sockets, user)
  writeFileSync(join(draft, 'recovery.signal'), '')
  const autoConf = join(draft, 'postgresql.auto.conf')
  writeFileSync(autoConf, readFileSync(autoConf, 'utf8').replace(/^archive_timeout.*\n/m, ''))

  const settings = {
    listen_addresses: '',
    hot_standby: 'off',
    archive_mode: 'off',
    restore_command: 'test -e restore_from/%f.gz && gzip -dc restore_from/%f.gz >%p',
    recovery_target_timeline: 'current',
    recovery_target_action: 'promote',
    ...(at && { recovery_target_time: at.toISOString().replace('Z', '+00') }),
  }
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`)
  const options = [`-k '${sockets}'`, ...flags].join(' ')
  const told = () => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const isRunning = () =>
    pgCtl(['status', '-D', draft]).then(
      () => true,
      () => false, // exit status 3: it has ended
    )
  try {
    await pgCtl(['start', '-D', draft, '-w', '-s', '-l', log, '-o', options])
    await untilRecovered(sockets, isRunning)
    await pgCtl(['stop', '-D', draft, '-m', 'fast', '-w', '-s'])
  } catch (cause) {
    if (await isRunning()) await pgCtl(['stop', '-D', draft, '-m', 'immediate', '-w', '-s'])
    if (told().includes('recovery ended before configured recovery target was reached'))
      throw new BackupError(
        'backup.too_late',
        `The archive ends before ${at?.toISOString()}: its last transaction is of ${lastCommitIn(told()) ?? 'the copy'}. Name an earlier moment, or none for all of it.`,
        { cause },
      )
    throw new BackupError('backup.damaged', `PostgreSQL could not recover: ${told().slice(-2000)}`, { cause })
  }
  rmSync(link)
  return lastCommitIn(told())
}

/** The server takes connections when the log is replayed and not before (`hot_standby`). */
async function untilRecovered(host: string, isRunning: () => Promise<boolean>): Promise<void> {
  const target = { host, port: 5432, user: EMBEDDED_ROLES.superuser, database: 'postgres' }
  for (;;) {
    const sql = connect(target, { max: 1, applicationName: 'daybook-restore' })
    try {
      await sql`select 1`
      return
    } catch (error) {
      if (!(await isRunning())) throw error
      await delay(RECOVERY_PAUSE_MS)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}

const lastCommitIn = (log: string): string | undefined =>
  /last completed transaction was at log time (.+)/.exec(log)?.[1]

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
