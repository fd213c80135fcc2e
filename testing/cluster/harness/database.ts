import postgres from 'postgres'
import { POSTGRES } from '../../../tools/cluster/postgres.ts'

/** As values-platform.yaml names them. */
const PASSWORDS = { daybook_owner: 'owner', daybook_app: 'first', daybook_scaler: 'scaler' } as const

/** As the superuser, who sees everything. */
export const DATABASE_URL = `postgres://${POSTGRES.superuser}@${POSTGRES.host}:${POSTGRES.port}/daybook`

/** An empty database and the roles that the platform's Secrets name. */
export async function makeDatabase(): Promise<void> {
  const sql = postgres({
    ...POSTGRES,
    user: POSTGRES.superuser,
    database: 'postgres',
    max: 1,
    onnotice: () => {},
  })
  await sql`drop database if exists daybook with (force)`
  for (const [role, password] of Object.entries(PASSWORDS)) {
    await sql`drop role if exists ${sql(role)}`
    await sql.unsafe(`create role ${role} login password '${password}'`)
  }
  await sql`create database daybook owner daybook_owner`
  await sql.end({ timeout: 1 })
}
