import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inheritedEnvironment } from '../../shared/config.ts'
import { connect, type Sql } from '../../shared/db/connect.ts'

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
  const script = new URL('../reminders-server.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--expose-gc', script], {
    env: { ...inheritedEnvironment(), PORT: '0', DAYBOOK_DATA_DIR: directory, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
  for await (const text of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)$/.exec(text)?.[1]
    if (url) return serverAt(url, directory, end)
  }
  await end()
  throw new Error('the server of the benchmark did not start')
}

function serverAt(url: string, directory: string, end: () => Promise<void>): Server {
  const sql = connect(
    { host: join(directory, 'run'), port: 5432, user: 'daybook', database: 'postgres' },
    { max: 2, applicationName: 'bench' },
  )
  const ask = async <T>(method: string, path: string) =>
    (await (await fetch(`${url}${path}`, { method })).json()) as T
  return {
    ...{ url, sql },
    people: (count) => ask<Person[]>('POST', `/bench/people/${count}`),
    memoryMiB: async () => Math.round((await ask<{ rss: number }>('GET', '/bench/memory')).rss / 2 ** 20),
    waitingEvents: async () => (await ask<{ waiting: number }>('GET', '/bench/backlog')).waiting,
    stop: async () => {
      await sql.end({ timeout: 1 })
      await end()
    },
  }
}
