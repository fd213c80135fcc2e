import { readFileSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SocketTarget } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded/embedded-postgres.ts'
import type { Program } from '../../tools/program.ts'
import { readFrom, type End } from '../../tools/program-log.ts'

/** As in the embedded profile; every unit and every sidecar brings a pool of its own. */
const SETTINGS = { commit_delay: '1000', commit_siblings: '4', max_connections: '200' }
const LOOK_EVERY_MS = 500

/** The embedded PostgreSQL as one more program. It outlives a SIGKILL of ours, and the next start adopts it. */
export async function startDatabase(
  dataDir: string,
  runtimeDir: string | undefined,
): Promise<Program & { server: EmbeddedPostgres }> {
  const server = await startEmbeddedPostgres(dataDir, SETTINGS, { runtimeDir })
  const cluster = join(dataDir, 'postgres')
  const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
  const look = new AbortController()
  const exited = untilSilent(server.target, look.signal)
  return {
    pid,
    server,
    exited,
    log: () => readFrom(join(cluster, 'server.log'), 0),
    async stop() {
      look.abort()
      if (await answers(server.target)) await server.stop()
      await exited
    },
    async kill() {
      process.kill(pid, 'SIGKILL')
      await exited
    },
  }
}

/** It is no child of ours, so its end is seen by its silence. */
async function untilSilent(target: SocketTarget, signal: AbortSignal): Promise<End> {
  while (!signal.aborted && (await answers(target))) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
  return { code: null, signal: signal.aborted ? 'SIGTERM' : 'SIGKILL' }
}

async function answers({ host, port }: SocketTarget): Promise<boolean> {
  const socket = connectSocket(join(host, `.s.PGSQL.${port}`))
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
