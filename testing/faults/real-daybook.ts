import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { ROOT } from '../worlds/source-files.ts'
import { inheritedEnvironment } from '../../shared/config.ts'

/** `npm start` in a process of its own, on a data directory that outlives it. */
export interface RealDaybook {
  /** Where it serves; resolves when it does, after a kill as soon as it is back. */
  url(): Promise<string>
  /** A connection of our own to its database, to look at the tables. */
  database(): Sql
  /**
   * SIGKILL, to the process alone or to PostgreSQL too, as when the machine loses power. Starts it
   * again after `awayMs`.
   */
  kill(victim: 'process' | 'machine', awayMs?: number): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  /** Ends whatever still runs. */
  destroy(): Promise<void>
}

const READY = /Daybook is ready at (http:\S+)/
const STARTS_WITHIN_MS = 30_000

interface Incarnation {
  child: ChildProcess
  url: Promise<string>
  exit: Promise<number | null>
}

export function startRealDaybook(dataDir: string): RealDaybook {
  let current = launch(dataDir)
  const slay = async (victim: 'process' | 'machine') => {
    current.child.kill('SIGKILL')
    if (victim === 'machine') process.kill(postmasterOf(dataDir), 'SIGKILL')
    await current.exit
  }
  return {
    url: () => current.url,
    database: () =>
      connect(
        { host: join(dataDir, 'run'), port: 5432, user: 'daybook', database: 'postgres' },
        { max: 2, applicationName: 'faults' },
      ),
    kill: async (victim, awayMs = 0) => {
      await slay(victim)
      await delay(awayMs)
      current = launch(dataDir)
    },
    stop: async () => {
      current.child.kill('SIGTERM')
      return current.exit
    },
    // Without a postmaster.pid there is no server left to end.
    destroy: () => slay('machine').catch(() => {}),
  }
}

function launch(dataDir: string): Incarnation {
  const env = {
    ...inheritedEnvironment(),
    PORT: '0',
    DAYBOOK_DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_SECOND: '0',
  }
  const child = spawn(process.execPath, ['profiles/embedded/start.ts'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  let said = ''
  const url = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Daybook is not ready: ${said}`)), STARTS_WITHIN_MS)
    const listen = (chunk: Buffer) => {
      said = `${said}${String(chunk)}`.slice(-4000)
      const ready = READY.exec(said)?.[1]
      if (ready === undefined) return
      clearTimeout(timer)
      resolve(ready)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    void exit.then((code) => reject(new Error(`Daybook ended with ${code}: ${said}`)))
  })
  url.catch(() => {}) // whoever asks for it is told
  return { child, url, exit }
}

const postmasterOf = (dataDir: string): number =>
  Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
