import postgres from 'postgres'
import type { Sql, Transaction } from './connect.ts'
import type { SqlFile } from './sql-files.ts'

/** A row of `schema_migrations` or `schema_functions`. */
export interface AppliedFile {
  name: string
  checksum: string
  applied_at: Date
}

const appliedFunctions = (sql: Sql | Transaction): Promise<AppliedFile[]> =>
  sql<AppliedFile[]>`select name, checksum, applied_at from schema_functions order by name`

/** Those that the database does not have, or from another text. */
export function staleFunctions(files: readonly SqlFile[], applied: readonly AppliedFile[]): SqlFile[] {
  const known = new Map(applied.map(({ name, checksum }) => [name, checksum]))
  return files.filter(({ name, checksum }) => known.get(name) !== checksum)
}

/**
 * Makes the functions of the database those of `files`, one function of the file's name each, in their order. Returns the
 * names of those that were not so already. To be called while no other process migrates.
 */
export async function applyFunctions(tx: Transaction, files: readonly SqlFile[]): Promise<string[]> {
  const applied = await appliedFunctions(tx)
  const stale = staleFunctions(files, applied)
  for (const file of stale) {
    await replace(tx, file)
    await tx`insert into schema_functions ${tx({ name: file.name, checksum: file.checksum })}
      on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`
  }
  const gone = applied.map(({ name }) => name).filter((name) => !files.some((file) => file.name === name))
  for (const name of gone) {
    await drop(tx, await signaturesOf(tx, name))
    await tx`delete from schema_functions where name = ${name}`
  }
  return stale.map(({ name }) => name)
}

/** What runs meanwhile does not notice `create or replace`. Only another signature or result takes the old one away. */
async function replace(tx: Transaction, { name, text }: SqlFile): Promise<void> {
  const before = await signaturesOf(tx, name)
  try {
    await tx.savepoint((inner) => inner.unsafe(text))
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === INVALID_FUNCTION_DEFINITION)) throw error
    await drop(tx, before)
    await tx.unsafe(text)
    return
  }
  const after = await signaturesOf(tx, name)
  if (after.length > before.length) await drop(tx, before)
}

/** Another result, or other names of the parameters. */
const INVALID_FUNCTION_DEFINITION = '42P13'

async function signaturesOf(tx: Transaction, name: string): Promise<string[]> {
  const rows = await tx<{ signature: string }[]>`
    select oid::regprocedure::text as signature from pg_proc
    where proname = ${name} and pronamespace = current_schema()::regnamespace`
  return rows.map(({ signature }) => signature)
}

async function drop(tx: Transaction, signatures: readonly string[]): Promise<void> {
  for (const signature of signatures) await tx.unsafe(`drop function ${signature}`)
}
