import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from '../find-program.ts'
import { freePortsFor } from '../ports.ts'
import type { Program } from '../program.ts'
import { ProgramError } from '../program-error.ts'
import { worstLine } from '../program-log.ts'
import { prepareFolder, startService } from '../service.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const JARS = join(HERE, 'lib')
const WHEN_MISSING =
  'it needs Java 17 or newer; install it (Debian: apt-get install openjdk-17-jre-headless).'

export interface KafkaPorts {
  port: number
  controllerPort: number
}

export interface KafkaOptions {
  /** Topics, offsets and the log; made when absent. A killed broker starts again on the same folder. */
  dataDir: string
  ports?: KafkaPorts
  /** Partitions of a topic that is made by its first use. */
  partitions?: number
}

export interface Kafka extends Program {
  /** For a Dapr component: `127.0.0.1:<port>`. */
  readonly brokers: string
  readonly ports: KafkaPorts
}

/**
 * One Kafka broker in KRaft mode on 127.0.0.1, ready when it has joined its own cluster and answers requests. An
 * acknowledged message survives a SIGKILL: it is in the page cache, which Kafka leaves to the system to flush.
 */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const root = prepareFolder('Kafka', options.dataDir)
  if (!existsSync(JARS)) {
    throw new ProgramError('program.missing', 'Kafka is not here yet; run npm run dapr:build.')
  }
  const ports = options.ports ?? (await freePortsFor('port', 'controllerPort'))
  const properties = join(root, 'server.properties')
  const logs = join(root, 'logs')
  writeFileSync(properties, settings({ ...ports, logs, partitions: options.partitions ?? 6 }))
  if (!existsSync(join(logs, 'meta.properties'))) await format(properties)
  const program = await startService({
    name: 'Kafka',
    command: 'java',
    args: [...java({ heap: '512m' }), 'kafka.Kafka', properties],
    whenMissing: WHEN_MISSING,
    dataDir: root,
    ports: Object.values(ports),
    // The broker writes this after the controller let it in and its listeners serve.
    isReady: async ({ log }) => await Promise.resolve(log().includes('Kafka Server started')),
  })
  return { ...program, brokers: `127.0.0.1:${ports.port}`, ports }
}

/** Gives the folder its cluster id, once. A format that was cut off is made again: meta.properties comes last. */
async function format(properties: string): Promise<void> {
  const command = findProgram('java')
  if (command === undefined)
    throw new ProgramError('program.missing', `Kafka cannot be started: ${WHEN_MISSING}`)
  const clusterId = randomBytes(16).toString('base64url')
  // With `=`, because one in 64 ids begins with a hyphen and would be read as another option.
  const options = ['--ignore-formatted', `--cluster-id=${clusterId}`, `--config=${properties}`]
  const tool = ['kafka.tools.StorageTool', 'format', ...options]
  await promisify(execFile)(command, [...java({ heap: '128m' }), ...tool]).catch((cause: Error) => {
    const output = 'stderr' in cause ? String(cause.stderr) : ''
    if (output.includes('UnsupportedClassVersionError')) {
      throw new ProgramError('program.missing', `This Java is too old for Kafka: ${WHEN_MISSING}`, { cause })
    }
    const reason = worstLine(output) ?? cause.message
    throw new ProgramError('program.ended', `Kafka could not prepare its folder: ${reason}`, { cause })
  })
}

const java = ({ heap }: { heap: string }): string[] => [
  `-Xmx${heap}`,
  '-XX:+UseSerialGC',
  '-XX:+ExitOnOutOfMemoryError',
  `-Dlog4j2.configurationFile=${join(HERE, 'log4j2.properties')}`,
  ...['-cp', join(JARS, '*')],
]

interface Settings extends KafkaPorts {
  logs: string
  partitions: number
}

/** server.properties of a single node that is broker and controller in one; one replica is all it can keep. */
function settings({ port, controllerPort, logs, partitions }: Settings): string {
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logs,
    'num.partitions': partitions,
    'auto.create.topics.enable': true,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed is let in again only when its old session is over; 9 s by default.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
