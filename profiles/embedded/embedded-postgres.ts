import { createHash } from 'node:crypto'
import { existsSync, lchownSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { ownFolder, privateFolder } from '../../shared/private-folder.ts'
import type { SocketTarget } from '../../shared/db/connect.ts'
import { requirePatchedDriver } from '../../shared/db/patched-driver.ts'
import { EMBEDDED_ROLES, prepareRoles } from './embedded-roles.ts'
import { ARCHIVE_SETTINGS } from './backup/archive.ts'
import { EmbeddedPostgresError, MAJOR_VERSION, postgresPrograms, serverUser } from './postgres-programs.ts'

/** A Unix socket path longer than about 100 bytes is refused by the kernel (unix(7)). */
const MAX_SOCKET_DIRECTORY_LENGTH = 80
/** Any number will do as long as every Daybook uses the same: it names "the process that owns this data". */
const OWNER_LOCK = 7_246_001
const CONNECT_ATTEMPTS = 10
const CONNECT_PAUSE_MS = 300
const REVIVE_PAUSE_MS = 1000

/**
 * Nothing that users write goes into the server's log: no statements, no values, no details of an error, which repeat
 * both. Errors of the product's roles are not in it at all (embedded-roles.ts), for their first line may name a value.
 */
const LOG_SETTINGS = {
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
}

export interface EmbeddedPostgres {
  /** As the product connects: a role that reads and writes rows and nothing else. */
  target: SocketTarget
  as(role: keyof typeof EMBEDDED_ROLES): SocketTarget
  /** Lets go of the data directory and stops the server (fast shutdown: open transactions are rolled back). */
  stop(): Promise<void>
}

export interface PostgresOptions {
  watch?: Watch
  /** A folder of this user for sockets (`XDG_RUNTIME_DIR`), for data whose own path is too long for one. */
  runtimeDir?: string | undefined
}

/** What becomes of a server that ends by itself (out of memory, killed). */
interface Watch {
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
  { watch, runtimeDir }: PostgresOptions = {},
): Promise<EmbeddedPostgres> {
  requirePatchedDriver()
  const root = resolve(dataDir)
  const cluster = join(root, 'postgres')
  ownFolder(root)
  const programs = await postgresPrograms(root)

  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(cluster, programs.initdb)
  const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedPostgresError(
      'data.other_version',
      `The data in ${root} belongs to PostgreSQL ${version}, this Daybook brings PostgreSQL ${MAJOR_VERSION}.`,
    )
  }

  const closed = { listen_addresses: '', unix_socket_permissions: '0700', ...LOG_SETTINGS }
  const flags = Object.entries({ ...closed, ...ARCHIVE_SETTINGS, ...settings })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ')
  const isRunning = () =>
    programs.pgCtl(['status', '-D', cluster]).then(
      () => true,
      () => false, // exit status 3: no server runs on this directory
    )
  const socketDirectory = (await isRunning())
    ? socketDirectoryIn(cluster)
    : plannedSocketDirectory(root, serverUser() === undefined ? runtimeDir : undefined)
  const ensureRunning = async () => {
    // It is the access control of the server, which trusts whoever gets in.
    privateFolder(socketDirectory, serverUser())
    if (!(await isRunning())) {
      const log = join(cluster, 'server.log')
      keepOneLog(log)
      const options = `-k '${socketDirectory}' ${flags}`
      await programs.pgCtl(['start', '-D', cluster, '-w', '-s', '-l', log, '-o', options]).catch((cause) => {
        // Two Daybooks that start at the same moment race here; PostgreSQL's own lock file picks one of them.
        if (existsSync(join(cluster, 'postmaster.pid'))) return
        throw new EmbeddedPostgresError('postgres.start_failed', `PostgreSQL did not start; see ${log}.`, {
          cause,
        })
      })
    }
  }

  const as = rolesIn(socketDirectory)
  const stopping = new AbortController()
  let reviving = Promise.resolve()
  const serve = () =>
    untilServed(async () => {
      await ensureRunning()
      return takeOwnership(as('superuser'), root, () => {
        if (watch && !stopping.signal.aborted) reviving = revive(watch)
      })
    })
  let owner = await serve()
  await prepareRoles(owner)
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
    target: as('app'),
    as,
    stop: async () => {
      stopping.abort()
      await reviving
      if (await isRunning()) await programs.pgCtl(['stop', '-D', cluster, '-m', 'fast', '-w', '-s'])
      await owner.end({ timeout: 1 })
    },
  }
}

/**
 * The same for a tool beside Daybook, which needs no data of its own: a server that runs on the data is used and left
 * running; where none runs, one is started and stopped again. Throws {@link EmbeddedPostgresError} `data.absent`.
 */
export async function joinEmbeddedPostgres(
  dataDir: string,
  options: Pick<PostgresOptions, 'runtimeDir'> = {},
): Promise<EmbeddedPostgres> {
  const root = resolve(dataDir)
  const cluster = join(root, 'postgres')
  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    throw new EmbeddedPostgresError(
      'data.absent',
      `There is no Daybook in ${root}; set DAYBOOK_DATA_DIR or DATABASE_URL to one.`,
    )
  }
  if (existsSync(join(cluster, 'postmaster.pid'))) {
    const as = rolesIn(socketDirectoryIn(cluster))
    if (await isServed(as('app'))) return { target: as('app'), as, stop: async () => {} }
  }
  return await startEmbeddedPostgres(root, {}, options)
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

const rolesIn =
  (host: string): EmbeddedPostgres['as'] =>
  (role) => ({ host, port: 5432, user: EMBEDDED_ROLES[role], database: 'postgres' })

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
    ...target,
    max: 1,
    idle_timeout: 0,
    max_lifetime: 0,
    onnotice: () => {},
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
  initdb: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  // Made beside its final place and renamed: a crash leaves nothing that looks like a database, and of two processes
  // that start at once one finds the other's.
  const draft = mkdtempSync(`${cluster}.`)
  const user = serverUser()
  if (user !== undefined) lchownSync(draft, user, user)
  await initdb([
    '-D',
    draft,
    '-U',
    'daybook',
    '--auth=trust',
    '--locale=C.UTF-8',
    '--encoding=UTF8',
    '--no-instructions',
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

function plannedSocketDirectory(root: string, runtimeDir: string | undefined): string {
  const inside = join(root, 'run')
  if (inside.length <= MAX_SOCKET_DIRECTORY_LENGTH) return inside
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 16)
  // It may be set for a session that is over, or that of the user before a `su`.
  const isThere = runtimeDir !== undefined && isAbsolute(runtimeDir) && existsSync(runtimeDir)
  return join(isThere ? runtimeDir : tmpdir(), `daybook-${digest}`)
}

/** Of the server that runs on the data, whoever has started it with whatever environment (line 5 of its pid file). */
function socketDirectoryIn(cluster: string): string {
  return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[4] ?? ''
}

/** The log begins anew with each start of the server; that of the last one, which may tell of a crash, is kept beside it. */
function keepOneLog(path: string): void {
  if (existsSync(path)) renameSync(path, `${path}.old`)
}
