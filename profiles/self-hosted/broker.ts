import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { startKafka } from '../../tools/kafka/kafka.ts'
import type { Program } from '../../tools/program.ts'
import { ProgramError } from '../../tools/program-error.ts'
import { startRedis } from '../../tools/redis/redis.ts'
import { applyOurTopics } from './topics.ts'

const REACH_MS = 3000

interface BrokerKind {
  title: string
  /** The variable by which the component finds it; set beforehand, it names one of the user's own. */
  variable: string
  /** The file that takes the place of the default pubsub component. */
  variant?: string
  ports: number
  start(dataDir: string, ports: readonly number[]): Promise<Program>
  /** Makes what must be there before the first message, on a broker that was started here or on the user's own. */
  prepare(address: string, isOurs: boolean, say: (line: string) => void): Promise<void>
}

export type BrokerName = 'kafka' | 'redis'

export const BROKERS: Record<BrokerName, BrokerKind> = {
  kafka: {
    title: 'Kafka',
    variable: 'DAYBOOK_KAFKA_BROKERS',
    ports: 2,
    start: (dataDir, [port, controllerPort]) =>
      startKafka({
        dataDir: join(dataDir, 'kafka'),
        ports: { port: port!, controllerPort: controllerPort! },
      }),
    prepare: (brokers, isOurs, say) => applyOurTopics({ brokers }, say, isOurs ? { brokers: 1 } : {}),
  },
  redis: {
    title: 'Redis',
    variable: 'DAYBOOK_REDIS_HOST',
    variant: 'pubsub-redis.yaml',
    ports: 1,
    start: (dataDir, [port]) => startRedis({ dataDir: join(dataDir, 'redis'), port: port! }),
    prepare: async () => {},
  },
}

/** Throws one clear line when none of `host:port,host:port` can be connected to. */
export async function checkBroker({ title, variable }: BrokerKind, addresses: string): Promise<void> {
  const reached = await Promise.all(addresses.split(',').map((address) => isReachable(address.trim())))
  if (reached.includes(true)) return
  throw new ProgramError(
    'program.not_ready',
    `${title} cannot be reached at ${addresses}; start it, or correct ${variable}, or unset it to have one started.`,
  )
}

async function isReachable(address: string): Promise<boolean> {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? []
  if (port === '') return false
  const socket = connect({ host, port: Number(port) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(REACH_MS) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
