import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { connect, type SocketTarget } from '../db/connect.ts'
import { startEmbeddedPostgres } from '../db/embedded-postgres.ts'
import { migrate } from '../db/migrate.ts'

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
  const target = server.target
  const admin = connect(target, { max: 1, applicationName: 'test-setup' })
  await admin`create database template_daybook`
  await admin.end()
  const template = connect(
    { ...target, database: 'template_daybook' },
    { max: 1, applicationName: 'test-setup' },
  )
  await migrate(template)
  await template.end()
  project.provide('postgres', target)
  return async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
