import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerName } from '../../../scripts/self-hosted/broker.ts'

const JARS = fileURLToPath(new URL('../../../tools/kafka/lib/*', import.meta.url))
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

/** Asks with redis-cli: messages not read yet, and those read and not acknowledged. */
async function redisLag(port: number): Promise<string[]> {
  const cli = async (...args: string[]) =>
    (await run('redis-cli', ['-p', String(port), '--json', ...args])).stdout
  const topics = JSON.parse(await cli('SCAN', '0', 'COUNT', '10000', 'TYPE', 'stream')) as [string, string[]]
  const groups = await Promise.all(
    topics[1].map(async (topic) => {
      const found = JSON.parse(await cli('XINFO', 'GROUPS', topic)) as RedisGroup[]
      return found
        .filter(({ pending, lag }) => pending > 0 || (lag ?? 0) > 0)
        .map(({ name, pending, lag }) => `${name} has ${pending} in hand and ${lag} to read of ${topic}`)
    }),
  )
  return groups.flat()
}

interface RedisGroup {
  name: string
  pending: number
  lag: number | null
}
