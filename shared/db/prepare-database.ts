import { DUE_COLUMNS } from './due-rows.ts'
import { connect, type ConnectionTarget, type Sql } from './connect.ts'
import { MIGRATION_LOCK, migrate } from './migrate.ts'

export interface DatabaseTargets {
  /** As the product connects. */
  target: ConnectionTarget
  /** As migrations connect: who owns the tables. The same where there is one role for both. */
  ownerTarget: ConnectionTarget
  /** A role that only counts what is due (due-rows.ts), for who starts workers. */
  scalerRole?: string | undefined
}

/** More tables than the product's own: how they are made, and in which schema. */
export interface MoreTables {
  schema: string
  make(owner: Sql): Promise<void>
}

/** Brings the tables up to date as their owner and opens their rows to the product's role. Returns the names of what was applied. */
export async function prepareDatabase(
  { target, ownerTarget, scalerRole }: DatabaseTargets,
  more?: MoreTables,
): Promise<string[]> {
  const owner = connect(ownerTarget, { max: 1, applicationName: 'daybook-migrate' })
  try {
    const applied = await migrate(owner)
    await more?.make(owner)
    const role = await roleOf(target)
    if (role !== (await roleIn(owner))) {
      for (const schema of ['public', ...(more ? [more.schema] : [])]) await openRows(owner, schema, role)
    }
    if (scalerRole !== undefined) await openCounts(owner, scalerRole)
    return applied
  } finally {
    await owner.end({ timeout: 5 })
  }
}

/** What says how the tables were made. */
const RECORDS = ['schema_migrations', 'schema_functions', 'schema_version']

/** A role may use the rows of every table of the owner in the schema, of later ones too, and change no table. */
async function openRows(owner: Sql, schema: string, role: string): Promise<void> {
  await owner.begin(async (tx) => {
    // Two that grant the same at once collide.
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
    const tables = await tx<{ name: string; is_record: boolean }[]>`
      select oid::regclass::text as name, relname = any(${RECORDS}) as is_record from pg_class
      where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p') and relowner = current_user::regrole`
    const grantee = `"${role.replaceAll('"', '""')}"`
    const [place] = await tx<{ name: string }[]>`select ${schema}::regnamespace::text as name`
    const statements = [
      `grant usage on schema ${place!.name} to ${grantee}`,
      `alter default privileges in schema ${place!.name} grant select, insert, update, delete on tables to ${grantee}`,
      ...tables.map(({ name, is_record }) =>
        is_record
          ? `grant select on ${name} to ${grantee}; revoke insert, update, delete on ${name} from ${grantee}`
          : `grant select, insert, update, delete on ${name} to ${grantee}`,
      ),
    ]
    await tx.unsafe(statements.join(';\n'))
  })
}

/** A role may count what is due, and read nothing of it. */
async function openCounts(owner: Sql, role: string): Promise<void> {
  await owner.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
    await tx`grant usage on schema public to ${tx(role)}`
    for (const [table, columns] of Object.entries(DUE_COLUMNS)) {
      await tx`grant select (${tx(columns)}) on ${tx(table)} to ${tx(role)}`
    }
  })
}

async function roleOf(target: ConnectionTarget): Promise<string> {
  const sql = connect(target, { max: 1, applicationName: 'daybook-migrate' })
  try {
    return await roleIn(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function roleIn(sql: Sql): Promise<string> {
  const [row] = await sql<{ role: string }[]>`select current_user::text as role`
  return row!.role
}
