import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerName } from '../../profiles/self-hosted/broker.ts'

const JARS = fileURLToPath(new URL('../../tools/kafka/lib/*', import.meta.url))
const PAUSE_MS = 500
const run = promisify(execFile)

/** Waits until every consumer group has done all of its messages. Resolves to what is left when the time is over, or null. */
export async function isCaughtUp(broker: BrokerName, port: number, limitMs: number): Promise<string | null> {
  const ask = broker === 'kafka' ? kafkaLag : redisLag
  let left: string[] = []
  for (const end = Date.now() + limitMs; Date.now() < end; await delay(PAUSE_MS)) {
    left = await ask(port).catch((error: unknown) => [String(error)])
    if (left.length === 0) return null
  }
  return left.join(', ')
}

/** Asks with Kafka's own tool; one line for each partition that a group is behind in. */
async function kafkaLag(port: number): Promise<string[]> {
  const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
  const options = ['--bootstrap-server', `127.0.0.1:${port}`, '--describe', '--all-groups']
  const { stdout } = await run('java', ['-Xmx128m', '-cp', JARS, tool, ...options])
  const rows = stdout.split('\n').map((line) => line.split(/\s+/))
  return rows
    .filter(([, topic, partition]) => topic !== undefined && /^\d+$/.test(partition ?? ''))
    .filter(([, , , , , lag]) => lag !== '0' && lag !== '-')
    .map(([group, topic, partition, , , lag]) => `${group} is ${lag} behind in ${topic}/${partition}`)
}

/** Asks with redis-cli for messages that a group has not read yet. */
async function redisLag(port: number): Promise<string[]> {
  const [, topics] = (await redis(port, 'SCAN', '0', 'COUNT', '10000', 'TYPE', 'stream')) as [
    string,
    string[],
  ]
  const groups = await Promise.all(
    topics.map(async (topic) => {
      const found = (await redis(port, 'XINFO', 'GROUPS', topic)) as { name: string; lag: number | null }[]
      return found
        .filter(({ lag }) => lag !== 0)
        .map(({ name, lag }) => `${name} is ${lag} behind in ${topic}`)
    }),
  )
  return groups.flat()
}

/**
 * Ids of the events that a consumer group has read and not acknowledged: what a killed sidecar had in hand stays there
 * until `processingTimeout` is over (dapr/variants/pubsub-redis.yaml).
 */
export async function redisInHand(port: number, topic: string, group: string): Promise<Set<string>> {
  const pending = (await redis(port, 'XPENDING', topic, group, '-', '+', '100000')) as [string][]
  const events = await Promise.all(
    pending.map(async ([id]) => {
      const [[, fields]] = (await redis(port, 'XRANGE', topic, id, id)) as [[string, string[]]]
      return (JSON.parse(fields[fields.indexOf('data') + 1]!) as { id: string }).id
    }),
  )
  return new Set(events)
}

async function redis(port: number, ...command: string[]): Promise<unknown> {
  const { stdout } = await run('redis-cli', ['-p', String(port), '--json', ...command], { maxBuffer: 1e8 })
  return JSON.parse(stdout)
}
