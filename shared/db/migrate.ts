import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Sql } from './connect.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)
const MIGRATION_LOCK = 7_246_002

export class MigrationError extends Error {
  readonly code: 'migration.newer_data' | 'migration.changed'
  constructor(code: MigrationError['code'], message: string) {
    super(message)
    this.name = 'MigrationError'
    this.code = code
  }
}

/**
 * Applies every migration that the database does not have yet, in the order of their numbers, each in a transaction of
 * its own. Forward only: a migration that was applied and then edited, or data written by a newer Daybook, is refused.
 * Processes that start together wait for each other on an advisory lock. Returns the names applied.
 */
export async function migrate(sql: Sql, directory: URL = DIRECTORY): Promise<string[]> {
  const migrations = readMigrations(directory)
  const applied: string[] = []
  await sql`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz(3) not null default now())`.catch(
    ignoreConcurrentCreation,
  )
  for (const migration of migrations) {
    const isNew = await sql.begin(async (tx) => {
      // Neither a long index build nor the wait for another process may run into the pool's limit.
      await tx`set local statement_timeout = 0`
      await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
      const [known] = await tx<{ checksum: string }[]>`
        select checksum from schema_migrations where name = ${migration.name}`
      if (known?.checksum === migration.checksum) return false
      if (known)
        throw new MigrationError(
          'migration.changed',
          `This data was made by another build of Daybook: its migration ${migration.name} is not ours. Use that build, or begin with a new database or DAYBOOK_DATA_DIR.`,
        )
      await tx.unsafe(migration.text)
      await tx`insert into schema_migrations (name, checksum) values (${migration.name}, ${migration.checksum})`
      return true
    })
    if (isNew) applied.push(migration.name)
  }
  const newest = migrations.at(-1)?.name ?? ''
  const [newer] = await sql<{ name: string }[]>`
    select name from schema_migrations where name > ${newest} order by name desc limit 1`
  if (newer) {
    throw new MigrationError(
      'migration.newer_data',
      `The data was written by a newer Daybook (migration ${newer.name}); this one knows up to ${newest}.`,
    )
  }
  return applied
}

function readMigrations(directory: URL) {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), 'utf8')
      return {
        name: file.replace(/\.sql$/, ''),
        text,
        checksum: createHash('sha256').update(text).digest('hex'),
      }
    })
}

/** `create table if not exists` still collides when two sessions run it at once (unique_violation in pg_type). */
function ignoreConcurrentCreation(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && ['23505', '42P07'].includes(String(error.code))))
    throw error
}
