import { once } from 'node:events'
import { connect } from 'node:net'
import { freePorts } from '../ports.ts'
import type { Program } from '../program.ts'
import { prepareFolder, startService } from '../service.ts'

const ANSWER_LIMIT_MS = 1000

export interface RedisOptions {
  /** The append-only file and the log; made when absent. A killed server starts again on the same folder. */
  dataDir: string
  port?: number
}

export interface Redis extends Program {
  /** For a Dapr component: `127.0.0.1:<port>`. */
  readonly host: string
  readonly port: number
}

/**
 * A Redis server on 127.0.0.1, ready when it answers PING, which it does after it has loaded its data. Every write goes
 * to the append-only file before its answer, so a SIGKILL of Redis loses nothing; the flush to disk every second
 * (`everysec`) matters only when the whole machine stops, and costs far less than one flush for each write.
 */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const root = prepareFolder('Redis', options.dataDir)
  const port = options.port ?? ((await freePorts(1)) as [number])[0]
  const flags = {
    port,
    bind: '127.0.0.1',
    dir: root,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    daemonize: 'no',
  }
  const program = await startService({
    name: 'Redis',
    command: 'redis-server',
    args: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
    whenMissing: 'install redis-server (Debian: apt-get install redis-server; macOS: brew install redis).',
    dataDir: root,
    ports: [port],
    isReady: async () => (await ping(port)).startsWith('+PONG'),
  })
  return { ...program, host: `127.0.0.1:${port}`, port }
}

async function ping(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    socket.write('PING\r\n')
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) })) as [
      Buffer,
    ]
    return answer.toString()
  } finally {
    socket.destroy()
  }
}
