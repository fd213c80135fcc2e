import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inheritedEnvironment } from '../../shared/config.ts'
import { connect, socketUrl, type Sql } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../profiles/embedded/embedded-postgres.ts'
import { SERVER_SETTINGS } from '../../profiles/embedded/embedded.ts'

export interface Person {
  id: string
  token: string
}

/** Daybook in a process of its own, on a fresh data directory. */
export interface Server {
  url: string
  /** A connection of our own to its database, to look at the tables. */
  sql: Sql
  people(count: number): Promise<Person[]>
  memoryMiB(): Promise<number>
  /** Events that are not published yet. */
  waitingEvents(): Promise<number>
  stop(): Promise<void>
}

export async function startServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  chmodSync(directory, 0o755)
  // As Daybook starts it, but for the times of commits, which say when something was written.
  const database = await startEmbeddedPostgres(directory, {
    ...SERVER_SETTINGS,
    track_commit_timestamp: 'on',
  })
  const script = new URL('../reminders-server.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--expose-gc', script], {
    env: {
      ...inheritedEnvironment(),
      PORT: '0',
      DAYBOOK_DATA_DIR: directory,
      LOG_LEVEL: 'error',
      RATE_LIMIT_PER_SECOND: '0',
      MAX_MAILS_PER_HOUR: '1000', // all of them, and each is counted
      DATABASE_URL: socketUrl(database.target),
      DATABASE_MIGRATION_URL: socketUrl(database.as('owner')),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    await database.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  for await (const text of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)$/.exec(text)?.[1]
    if (url) return serverAt(url, database, end)
  }
  await end()
  throw new Error('the server of the benchmark did not start')
}

function serverAt(url: string, database: EmbeddedPostgres, end: () => Promise<void>): Server {
  const sql = connect(database.as('superuser'), { max: 2, applicationName: 'bench' })
  const ask = async <T>(method: string, path: string) =>
    (await (await fetch(`${url}${path}`, { method })).json()) as T
  return {
    url,
    sql,
    people: (count) => ask<Person[]>('POST', `/bench/people/${count}`),
    memoryMiB: async () => Math.round((await ask<{ rss: number }>('GET', '/bench/memory')).rss / 2 ** 20),
    waitingEvents: async () => (await ask<{ waiting: number }>('GET', '/bench/backlog')).waiting,
    stop: async () => {
      await sql.end({ timeout: 1 })
      await end()
    },
  }
}
