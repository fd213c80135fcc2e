import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { connect, type Sql } from '../../../shared/db/connect.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres.ts'
import { segmentsFrom } from './backup-folder.ts'
import { restoreBackup } from './restore-backup.ts'
import { takeBackup } from './take-backup.ts'

const base = mkdtempSync(join(tmpdir(), 'daybook-backup-'))
chmodSync(base, 0o755)
const at = (name: string) => join(base, name)
const now = () => new Date()
const opened: { sql: Sql; server: EmbeddedPostgres }[] = []

async function open(name: string) {
  const server = await startEmbeddedPostgres(at(name))
  const sql = connect(server.as('superuser'), { max: 1, applicationName: 'test' })
  opened.push({ sql, server })
  return { sql, server }
}
const note = (sql: Sql, what: string) => sql`insert into notes (what) values (${what})`
const notesIn = async (name: string) => {
  const { sql, server } = await open(name)
  const rows = await sql<{ what: string }[]>`select what from notes order by at`
  await sql.end()
  await server.stop()
  return rows.map(({ what }) => what)
}
/** What the half minute does by itself. */
async function archived(sql: Sql) {
  const [row] = await sql<{ segment: string }[]>`select pg_walfile_name(pg_switch_wal()) as segment`
  await vi.waitFor(() => expect(segmentsFrom(at('backups'), row!.segment)).toContain(row!.segment), 10_000)
}

let source: { sql: Sql; server: EmbeddedPostgres }
let point: Date

beforeAll(async () => {
  source = await open('data')
  const { sql } = source
  await sql`create table notes (at timestamptz default clock_timestamp(), what text)`
  await note(sql, 'before the copy')
  await takeBackup(sql, { dataDir: at('data'), folder: at('backups'), keep: 2, now })
  await note(sql, 'after the copy')
  await sql`select pg_sleep(0.01)`
  point = now()
  await sql`select pg_sleep(0.01)`
  await note(sql, 'after the point')
  await archived(sql)
  await note(sql, 'not archived')
})

afterAll(async () => {
  for (const { sql, server } of opened) {
    await sql.end({ timeout: 1 })
    await server.stop()
  }
  rmSync(base, { recursive: true, force: true })
})

describe('a restore', () => {
  it('to a moment brings what was committed before it and nothing after it', async () => {
    const { lastCommit } = await restoreBackup({ from: at('backups'), dataDir: at('to-point'), at: point })
    expect(lastCommit).toBeDefined()
    expect(await notesIn('to-point')).toEqual(['before the copy', 'after the copy'])
    // A restored Daybook has a history of its own, and keeps no backup of it before it is told where.
    const restored = await open('to-point')
    const again = (folder?: string) =>
      takeBackup(restored.sql, { dataDir: at('to-point'), folder, keep: 2, now })
    await expect(again()).rejects.toMatchObject({ code: 'backup.not_configured' })
    await expect(again(at('backups'))).rejects.toMatchObject({ code: 'backup.other_owner' })
    await again(at('backups-of-restored'))
  })

  it('without a moment brings all that was archived', async () => {
    await restoreBackup({ from: at('backups'), dataDir: at('all') })
    expect(await notesIn('all')).toEqual(['before the copy', 'after the copy', 'after the point'])
  })

  it.each([
    ['before the first copy', { at: new Date('2020-01-01') }, 'backup.too_early'],
    ['after the end of the archive', { at: new Date('2999-01-01') }, 'backup.too_late'],
    ['from a folder without a backup', { from: at('nothing') }, 'backup.absent'],
    ['where there is data', { dataDir: at('data') }, 'data.present'],
  ])(
    '%s is refused and leaves nothing',
    async (_, request, code) => {
      mkdirSync(at('nothing'), { recursive: true })
      const whole = { from: at('backups'), dataDir: at('refused'), ...request }
      await expect(restoreBackup(whole)).rejects.toMatchObject({ code })
      mkdirSync(at('refused'), { recursive: true })
      expect(readdirSync(at('refused'))).toEqual([])
    },
    60_000,
  )

  it('of another PostgreSQL is refused', async () => {
    const file = join(at('backups'), 'backup.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"18"', '"17"'))
    await expect(restoreBackup({ from: at('backups'), dataDir: at('refused') })).rejects.toThrow(
      /The backup is of PostgreSQL 17 on .*, this is PostgreSQL 18/,
    )
    writeFileSync(file, text)
  })

  it('over a damaged or missing piece of the log is refused, which PostgreSQL would take for its end', async () => {
    const wal = join(at('backups'), 'wal')
    const all = segmentsFrom(at('backups'), '')
    const [last, before] = [all.at(-1)!, all.at(-2)!].map((name) => join(wal, `${name}.gz`)) as [
      string,
      string,
    ]
    const restoring = () => restoreBackup({ from: at('backups'), dataDir: at('refused') })
    const whole = readFileSync(last)
    writeFileSync(last, whole.subarray(0, -100))
    await expect(restoring()).rejects.toMatchObject({ code: 'backup.damaged' })
    writeFileSync(last, whole)
    renameSync(before, `${before}.away`)
    await expect(restoring()).rejects.toMatchObject({ code: 'backup.damaged' })
    renameSync(`${before}.away`, before)
  })
})

describe('backups', () => {
  it('keep so many copies, and the log that the oldest of them needs', async () => {
    const { sql } = source
    for (const keep of [2, 2, 2]) await takeBackup(sql, { dataDir: at('data'), keep, now })
    expect(readdirSync(join(at('backups'), 'bases'))).toHaveLength(2)
    await restoreBackup({ from: at('backups'), dataDir: at('later') })
    expect(await notesIn('later')).toContain('not archived')
  })

  it('say so when their folder cannot be written, and PostgreSQL keeps the log until it can', async () => {
    const { sql } = source
    const wal = join(at('backups'), 'wal')
    renameSync(wal, `${wal}.away`)
    writeFileSync(wal, '')
    await expect(takeBackup(sql, { dataDir: at('data'), keep: 2, now })).rejects.toMatchObject({
      code: 'backup.archive_failed',
    })
    await note(sql, 'while the disk was away')
    rmSync(wal)
    renameSync(`${wal}.away`, wal)
    await archived(sql)
    await restoreBackup({ from: at('backups'), dataDir: at('after-trouble') })
    expect(await notesIn('after-trouble')).toContain('while the disk was away')
  })

  it('do not mix with those of another Daybook', async () => {
    const other = await open('other')
    const backup = takeBackup(other.sql, { dataDir: at('other'), folder: at('backups'), keep: 2, now })
    await expect(backup).rejects.toMatchObject({ code: 'backup.other_owner' })
  })

  it('are not for a server that archives nothing', async () => {
    const server = await startEmbeddedPostgres(at('old'), { archive_mode: 'off' })
    const sql = connect(server.as('superuser'), { max: 1, applicationName: 'test' })
    opened.push({ sql, server })
    const backup = takeBackup(sql, { dataDir: at('old'), folder: at('of-old'), keep: 2, now })
    await expect(backup).rejects.toMatchObject({ code: 'backup.not_configured' })
  })
})
