import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePortsFor } from '../ports.ts'
import type { Program } from '../program.ts'
import { prepareFolder, startService } from '../service.ts'
import { javaOptions, requireJars, runKafkaTool, WHEN_JAVA_IS_MISSING } from './java.ts'

interface KafkaPorts {
  port: number
  controllerPort: number
}

export interface KafkaOptions {
  /** Topics, offsets and the log; made when absent. A killed broker starts again on the same folder. */
  dataDir: string
  ports?: KafkaPorts
  /** When given, a topic is made by its first use, with so many partitions; else by applyTopics only. */
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
  const ports = options.ports ?? (await freePortsFor('port', 'controllerPort'))
  const program = await startService({
    name: 'Kafka',
    command: 'java',
    args: await prepareKafka(root, { ...options, ports }),
    whenMissing: WHEN_JAVA_IS_MISSING,
    dataDir: root,
    ports: Object.values(ports),
    // The broker writes this after the controller let it in and its listeners serve.
    isReady: async ({ log }) => await Promise.resolve(log().includes('Kafka Server started')),
  })
  return { ...program, brokers: `127.0.0.1:${ports.port}`, ports }
}

/** Makes its folder ready and returns the arguments by which Java runs it there. */
export async function prepareKafka(
  root: string,
  {
    ports,
    host = '127.0.0.1',
    partitions,
  }: { ports: KafkaPorts; host?: string; partitions?: number | undefined },
): Promise<string[]> {
  requireJars()
  const properties = join(root, 'server.properties')
  const logs = join(root, 'logs')
  writeFileSync(properties, settings({ ...ports, logs, host, partitions }))
  if (!existsSync(join(logs, 'meta.properties'))) await format(properties)
  return [...javaOptions({ heap: '512m' }), 'kafka.Kafka', properties]
}

/** Gives the folder its cluster id, once. A format that was cut off is made again: meta.properties comes last. */
async function format(properties: string): Promise<void> {
  const clusterId = randomBytes(16).toString('base64url')
  // With `=`, because one in 64 ids begins with a hyphen and would be read as another option.
  const options = ['--ignore-formatted', `--cluster-id=${clusterId}`, `--config=${properties}`]
  await runKafkaTool('prepare its folder', ['kafka.tools.StorageTool', 'format', ...options])
}

interface Settings extends KafkaPorts {
  logs: string
  host: string
  partitions: number | undefined
}

/** server.properties of a single node that is broker and controller in one; one replica is all it can keep. */
function settings({ port, controllerPort, logs, host, partitions }: Settings): string {
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${host}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logs,
    'num.partitions': partitions ?? 1,
    'auto.create.topics.enable': partitions !== undefined,
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
