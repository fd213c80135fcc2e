import type { Sql, Transaction } from './connect.ts'
import { readSqlFiles, type SqlFile } from './sql-files.ts'
import { renewTitleOrder } from './tasks/title-order.ts'
import { applyFunctions, staleFunctions, type AppliedFile } from './sql-functions.ts'

/** Folders of `.sql` files: tables, indexes and types, each file applied once; functions, a file each, applied when changed. */
export interface SqlFolders {
  migrations: URL
  functions: URL
}

const OURS: SqlFolders = {
  migrations: new URL('./migrations/', import.meta.url),
  functions: new URL('./functions/', import.meta.url),
}
export const MIGRATION_LOCK = 7_246_002

class MigrationError extends Error {
  readonly code: 'migration.newer_data' | 'migration.changed' | 'migration.pending' | 'migration.old_server'
  constructor(code: MigrationError['code'], message: string) {
    super(message)
    this.name = 'MigrationError'
    this.code = code
  }
}

/**
 * Applies every migration that the database does not have yet, in the order of their numbers, each in a transaction of
 * its own; then the functions that differ, all in one, and the index of titles where ICU is another one. Forward only: a migration that was applied and then edited, or
 * data written by a newer Daybook, is refused. Processes that start together wait for each other on an advisory lock.
 * Returns the names applied.
 */
export async function migrate(sql: Sql, folders: SqlFolders = OURS): Promise<string[]> {
  const migrations = readSqlFiles(folders.migrations)
  const functions = readSqlFiles(folders.functions)
  const applied: string[] = []
  await requireServerVersion(sql)
  for (const table of ['schema_migrations', 'schema_functions']) {
    await sql`create table if not exists ${sql(table)} (
      name text primary key, checksum text not null, applied_at timestamptz(3) not null default now())`.catch(
      ignoreConcurrentCreation,
    )
  }
  for (const migration of migrations) {
    const isNew = await whileNobodyElseMigrates(sql, async (tx) => {
      const [known] = await tx<AppliedFile[]>`
        select name, checksum, applied_at from schema_migrations where name = ${migration.name}`
      if (known) {
        refuseChanged(known, migration)
        return false
      }
      await tx.unsafe(migration.text)
      await tx`insert into schema_migrations (name, checksum) values (${migration.name}, ${migration.checksum})`
      // What functions are made of may be another now, so they are made again.
      await tx`delete from schema_functions`
      return true
    })
    if (isNew) applied.push(migration.name)
  }
  const changed = await whileNobodyElseMigrates(sql, async (tx) => {
    refuseNewer((await appliedFiles(tx)).migrations, migrations)
    const functionsApplied = await applyFunctions(tx, functions)
    const isRenewed = await renewTitleOrder(tx)
    return [...functionsApplied.map(asFunction), ...(isRenewed ? ['tasks_by_title'] : [])]
  })
  return [...applied, ...changed]
}

const whileNobodyElseMigrates = <T>(sql: Sql, work: (tx: Transaction) => Promise<T>) =>
  sql.begin(async (tx) => {
    // Neither a long index build nor the wait for another process may run into the pool's limit.
    await tx`set local statement_timeout = 0`
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
    return work(tx)
  })

const asFunction = (name: string): string => `functions/${name}`

export interface MigrationStatus {
  applied: { name: string; appliedAt: Date }[]
  pending: string[]
}

/** What the database has and what it lacks; changes nothing, and refuses the same data as {@link migrate}. */
export async function migrationStatus(sql: Sql, folders: SqlFolders = OURS): Promise<MigrationStatus> {
  const migrations = readSqlFiles(folders.migrations)
  const functions = readSqlFiles(folders.functions)
  const { migrations: rows, functions: functionRows } = await appliedFiles(sql)
  const known = new Map(rows.map((row) => [row.name, row]))
  for (const migration of migrations) {
    const row = known.get(migration.name)
    if (row) refuseChanged(row, migration)
  }
  refuseNewer(rows, migrations)
  const stale = staleFunctions(functions, functionRows).map(({ name }) => name)
  return {
    applied: [
      ...rows.map(({ name, applied_at: appliedAt }) => ({ name, appliedAt })),
      ...functionRows
        .filter(({ name }) => !stale.includes(name))
        .map(({ name, applied_at: appliedAt }) => ({ name: asFunction(name), appliedAt })),
    ],
    pending: [
      ...migrations.map(({ name }) => name).filter((name) => !known.has(name)),
      ...stale.map(asFunction),
    ],
  }
}

/** What every test runs on. An older server fails at some statement, and does not say why. */
const LEAST_SERVER = 18

async function requireServerVersion(sql: Sql): Promise<void> {
  const [row] = await sql<{ version: number }[]>`
    select current_setting('server_version_num')::int / 10000 as version`
  if (row!.version >= LEAST_SERVER) return
  throw new MigrationError(
    'migration.old_server',
    `Daybook needs PostgreSQL ${LEAST_SERVER} or newer; the server of this database is ${row!.version}.`,
  )
}

/** For who works with the tables and does not make them. Throws {@link MigrationError} `migration.pending`. */
export async function requireMigrated(sql: Sql, folders: SqlFolders = OURS): Promise<void> {
  const { applied, pending } = await migrationStatus(sql, folders)
  if (pending.length === 0) return
  await requireServerVersion(sql)
  const state =
    applied.length === 0 ? 'is empty' : `does not fit this Daybook (it lacks ${pending.join(', ')})`
  throw new MigrationError('migration.pending', `The database ${state}; run npm run migrate.`)
}

/** By the database, both in one round trip; nothing where nobody has migrated yet. */
async function appliedFiles(
  sql: Sql | Transaction,
): Promise<Record<'migrations' | 'functions', AppliedFile[]>> {
  const rows = await sql<(AppliedFile & { kind: 'migration' | 'function' })[]>`
    select 'migration' as kind, name, checksum, applied_at from schema_migrations
    union all
    select 'function', name, checksum, applied_at from schema_functions
    order by name`.catch((error: unknown) => {
    if (hasCode(error, UNDEFINED_TABLE)) return []
    throw error
  })
  const { migration: migrations = [], function: functions = [] } = Object.groupBy(rows, ({ kind }) => kind)
  return { migrations, functions }
}

function refuseChanged(known: AppliedFile, migration: SqlFile): void {
  if (known.checksum === migration.checksum) return
  throw new MigrationError(
    'migration.changed',
    `This data was made by another build of Daybook: its migration ${migration.name} is not ours. Use that build, or begin with a new database or DAYBOOK_DATA_DIR.`,
  )
}

function refuseNewer(applied: readonly AppliedFile[], migrations: readonly SqlFile[]): void {
  const newest = migrations.at(-1)?.name ?? ''
  const newer = applied.findLast(({ name }) => name > newest)
  if (!newer) return
  throw new MigrationError(
    'migration.newer_data',
    `The data was written by a newer Daybook (migration ${newer.name}); this one knows up to ${newest}.`,
  )
}

/** `create table if not exists` still collides when two sessions run it at once (in pg_type: unique_violation, duplicate_object). */
function ignoreConcurrentCreation(error: unknown): void {
  if (!hasCode(error, '23505', '42P07', '42710')) throw error
}

const UNDEFINED_TABLE = '42P01'

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))
