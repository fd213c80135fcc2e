import type { Sql } from '../../shared/db/connect.ts'

/** What becomes of columns of a copy, as SQL with the number of the copy as `n`. */
type Changes = Record<string, string>

/**
 * Copies the rows of a table for which `where` holds, so many times each. Generated columns are PostgreSQL's own. Thousands
 * of rows come into being within a second this way, and in the form that the product gives them.
 */
export async function copyRows(
  sql: Sql,
  { table, where, count, changes }: { table: string; where: string; count: number; changes: Changes },
): Promise<void> {
  const columns = await sql<{ name: string }[]>`
    select column_name as name from information_schema.columns
    where table_name = ${table} and table_schema = current_schema() and is_generated = 'NEVER'`
  const names = columns.map(({ name }) => name)
  await sql.unsafe(`
    insert into ${table} (${names.join(', ')})
    select ${names.map((name) => changes[name] ?? name).join(', ')}
    from ${table}, generate_series(1, ${count}) n where ${where}`)
}

/** The id of the copy of what has this id, a UUID version 8 (RFC 9562 §5.8). */
export const copyIdOf = (id: string): string =>
  `overlay(overlay(md5('${id} ' || n) placing '8' from 13) placing '8' from 17)::uuid`
