import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { connect, type SocketTarget } from '../../shared/db/connect.ts'
import { ensureSchema } from '../../dapr/embedded/schema.ts'
import { startEmbeddedPostgres } from '../../profiles/embedded/embedded-postgres.ts'
import { EMBEDDED_ROLES } from '../../profiles/embedded/embedded-roles.ts'
import { prepareDatabase } from '../../shared/db/prepare-database.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: SocketTarget
  }
}

/** Vitest's global set-up: one real PostgreSQL for the run and a migrated template that each test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(directory, 0o755)
  const server = await startEmbeddedPostgres(directory, {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
  })
  // Tests empty tables and look behind them, so they are the superuser; those of the whole product are not.
  const target = server.as('superuser')
  const admin = connect(target, { max: 1, applicationName: 'test-setup' })
  const database = 'template_daybook'
  await admin`create database ${admin(database)} owner ${admin(EMBEDDED_ROLES.owner)}`
  await admin.end()
  await prepareDatabase(
    { target: { ...server.target, database }, ownerTarget: { ...server.as('owner'), database } },
    { schema: 'dapr', make: ensureSchema },
  )
  project.provide('postgres', target)
  return async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
