import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ownFolder, privateFolder } from '../../../shared/private-folder.ts'
import { MAJOR_VERSION, serverUser } from '../postgres-programs.ts'

// A backup folder: `backup.json` says whose it is, `bases/<when>/` are copies of the data with `base.json` beside each,
// `wal/` is the log since the first of them. A folder holds one history: what follows a restore needs another.

/** A copy of files is of use to the same kind of machine only. */
const PLATFORM = `${process.platform}-${process.arch}`
const SEGMENT = /^[0-9A-F]{24}\.gz$/
export const SEGMENT_BYTES = 16 * 1024 * 1024
const SEGMENTS_PER_LOG = 0x1_0000_0000 / SEGMENT_BYTES

const Owner = z.object({
  /** PostgreSQL's own number of the data, which a restored copy keeps. */
  system: z.string(),
  /** It grows with each restore. */
  timeline: z.int(),
  version: z.string(),
  platform: z.string(),
})
export type Owner = Omit<z.infer<typeof Owner>, 'version' | 'platform'>

const Base = z.object({ firstSegment: z.string(), endedAt: z.coerce.date() })
export type Base = z.infer<typeof Base> & { name: string }

export class BackupError extends Error {
  readonly code:
    | 'backup.not_configured'
    | 'backup.other_owner'
    | 'backup.busy'
    | 'backup.archive_failed'
    | 'backup.absent'
    | 'backup.other_version'
    | 'backup.damaged'
    | 'backup.too_early'
    | 'backup.too_late'
    | 'backup.no_space'
    | 'data.present'
    | 'database.not_embedded'
  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
    this.code = code
  }
}

export const walIn = (folder: string): string => join(folder, 'wal')
export const basesIn = (folder: string): string => join(folder, 'bases')
export const dataOf = (folder: string, base: string): string => join(basesIn(folder), base, 'data')

/** Makes a folder for this history, or takes one that is of it already. */
export function ownBackupFolder(folder: string, { system, timeline }: Owner): void {
  ownFolder(folder)
  const file = join(folder, 'backup.json')
  if (existsSync(file)) {
    const found = readOwner(folder)
    if (found.system === system && found.timeline === timeline) return
    const whose = found.system === system ? 'this Daybook before it was restored' : 'another Daybook'
    throw new BackupError('backup.other_owner', `${folder} holds backups of ${whose}; name a new folder.`)
  }
  if (readdirSync(folder).some((name) => name !== 'wal'))
    throw new BackupError('backup.other_owner', `${folder} is not empty; name a new folder.`)
  privateFolder(walIn(folder), serverUser())
  privateFolder(basesIn(folder))
  writeFileSync(file, JSON.stringify({ system, timeline, version: MAJOR_VERSION, platform: PLATFORM }), {
    mode: 0o600,
  })
}

function readOwner(folder: string): z.infer<typeof Owner> {
  const file = join(folder, 'backup.json')
  if (!existsSync(file)) throw new BackupError('backup.absent', `There is no backup in ${folder}.`)
  return Owner.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** Throws where this Daybook cannot read what is in the folder. */
export function requireReadable(folder: string): void {
  const { version, platform } = readOwner(folder)
  const wanted = `PostgreSQL ${MAJOR_VERSION} on ${PLATFORM}`
  const found = `PostgreSQL ${version} on ${platform}`
  if (found !== wanted)
    throw new BackupError(
      'backup.other_version',
      `The backup is of ${found}, this is ${wanted}; restore it there.`,
    )
}

/** Finished copies, the oldest first. */
export function basesOf(folder: string): Base[] {
  return readdirSync(basesIn(folder))
    .filter((name) => existsSync(join(basesIn(folder), name, 'base.json')))
    .toSorted()
    .map((name) => ({
      name,
      ...Base.parse(JSON.parse(readFileSync(join(basesIn(folder), name, 'base.json'), 'utf8'))),
    }))
}

/** The names of the archived segments from this one on, in order. */
export function segmentsFrom(folder: string, first: string): string[] {
  return readdirSync(walIn(folder))
    .filter((file) => SEGMENT.test(file))
    .map((file) => file.slice(0, 24))
    .filter((name) => name >= first)
    .toSorted()
}

/** Where a segment is in the log of its timeline. */
export const positionOf = (segment: string): number =>
  Number.parseInt(segment.slice(8, 16), 16) * SEGMENTS_PER_LOG + Number.parseInt(segment.slice(16), 16)

/** Leaves so many copies, and the log that they need. */
export function prune(folder: string, keep: number): void {
  const bases = basesOf(folder)
  for (const { name } of bases.slice(0, -keep))
    rmSync(join(basesIn(folder), name), { recursive: true, force: true })
  const [oldest] = bases.slice(-keep)
  if (oldest === undefined) return
  for (const file of readdirSync(walIn(folder)))
    if (file.slice(0, 24) < oldest.firstSegment) rmSync(join(walIn(folder), file))
}

export function requireSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free >= bytes) return
  const inMb = (size: number) => `${Math.ceil(size / 1e6)} MB`
  throw new BackupError(
    'backup.no_space',
    `${folder} has ${inMb(free)} left, ${inMb(bytes)} are needed; make room or name another folder.`,
  )
}

export function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
