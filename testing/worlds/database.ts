import { randomUUID } from 'node:crypto'
import { afterAll, inject } from 'vitest'
import { connect, type SocketTarget, type Sql } from '../../shared/db/connect.ts'
import { EMBEDDED_ROLES } from '../../profiles/embedded/embedded-roles.ts'

/**
 * A fresh, migrated database on the run's PostgreSQL, closed after the test file. Call it at the top of a file or in
 * `beforeAll`; about 20 ms.
 */
export async function testDatabase(options: { max?: number } = {}): Promise<Sql> {
  const sql = connect(await testDatabaseTarget(), { max: options.max ?? 10, applicationName: 'test' })
  afterAll(() => sql.end({ timeout: 1 }))
  return sql
}

/** Where a fresh, migrated database is, for tests that start a process of their own on it. */
export async function testDatabaseTarget(): Promise<SocketTarget> {
  const server = inject('postgres')
  const name = `t_${randomUUID().replaceAll('-', '')}`
  const admin = connect(server, { max: 1, applicationName: 'test-setup' })
  // PostgreSQL copies a template only while nobody is connected to it, so parallel test files take turns.
  await admin`select pg_advisory_lock(1)`
  await admin.unsafe(
    `create database ${name} owner ${EMBEDDED_ROLES.owner} template template_daybook strategy file_copy`,
  )
  await admin.end()
  return { ...server, database: name }
}
