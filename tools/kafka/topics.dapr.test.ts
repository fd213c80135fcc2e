import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startKafka, type Kafka } from './kafka.ts'
import { runKafkaTool } from './java.ts'
import { applyTopics, type TopicPlan } from './topics.ts'

const TASKS: TopicPlan = { name: 'tasks', partitions: 2, retentionMs: 60_000, replication: 3 }
const LETTERS: TopicPlan = { name: 'letters', partitions: 1, retentionMs: 90_000, replication: 1 }

let folder: string
let kafka: Kafka
let said: string[]
const apply = (plans: readonly TopicPlan[], addPartitions = false) =>
  applyTopics({ brokers: kafka.brokers }, plans, (line) => said.push(line), { addPartitions })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'daybook-topics-'))
  kafka = await startKafka({ dataDir: join(folder, 'kafka') })
})
afterAll(async () => {
  await kafka.kill()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  said = []
})

/** What Kafka's own script says of them, one line each. */
async function described(): Promise<string[]> {
  const text = await runKafkaTool('tell its topics', [
    'org.apache.kafka.tools.TopicCommand',
    '--bootstrap-server',
    kafka.brokers,
    '--describe',
    '--exclude-internal',
  ])
  return text
    .split('\n')
    .filter((line) => line.startsWith('Topic: '))
    .map((line) => {
      const [about, configs = ''] = line
        .replace(/\tTopicId: \S+/, '')
        .replaceAll(/\s+/g, ' ')
        .trim()
        .split(' Configs: ')
      return `${about!.trim()} Configs: ${configs.split(',').toSorted().join(',')}`
    })
    .toSorted()
}

describe('topics', () => {
  it('are made with partitions, retention and as many copies as there are brokers, once', async () => {
    await apply([TASKS, LETTERS])
    expect(said.toSorted()).toEqual([
      'made topic letters: partitions 1, replication 1, cleanup.policy delete, retention.ms 90000, min.insync.replicas 1',
      'made topic tasks: partitions 2, replication 1, cleanup.policy delete, retention.ms 60000, min.insync.replicas 1',
    ])
    said = []
    await apply([TASKS, LETTERS])
    expect(said).toEqual([])
    expect(await described()).toEqual([
      'Topic: letters PartitionCount: 1 ReplicationFactor: 1 Configs: cleanup.policy=delete,min.insync.replicas=1,retention.ms=90000',
      'Topic: tasks PartitionCount: 2 ReplicationFactor: 1 Configs: cleanup.policy=delete,min.insync.replicas=1,retention.ms=60000',
    ])
  })

  it('that differ are changed, which is said; the others stay as they are', async () => {
    await apply([{ ...TASKS, partitions: 4, retentionMs: 120_000 }, LETTERS], true)
    expect(said).toEqual([
      'changed topic tasks: partitions 2 -> 4',
      'changed topic tasks: retention.ms 60000 -> 120000',
    ])
    expect(await described()).toEqual([
      'Topic: letters PartitionCount: 1 ReplicationFactor: 1 Configs: cleanup.policy=delete,min.insync.replicas=1,retention.ms=90000',
      'Topic: tasks PartitionCount: 4 ReplicationFactor: 1 Configs: cleanup.policy=delete,min.insync.replicas=1,retention.ms=120000',
    ])
  })

  it('get no more partitions while messages are unread, and then do', async () => {
    const more = [{ ...TASKS, partitions: 8, retentionMs: 120_000 }]
    const offsets = async (to: string) =>
      await runKafkaTool('set offsets', [
        'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
        '--bootstrap-server',
        kafka.brokers,
        '--group',
        'readers',
        '--topic',
        'tasks',
        '--reset-offsets',
        to,
        '--execute',
      ])
    await runKafkaTool('publish', [
      'org.apache.kafka.tools.ProducerPerformance',
      '--topic',
      'tasks',
      '--num-records',
      '7',
      '--record-size',
      '10',
      '--throughput',
      '-1',
      '--producer-props',
      `bootstrap.servers=${kafka.brokers}`,
    ])
    await offsets('--to-earliest')
    await expect(apply(more, true)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Topic tasks has \d messages that the consumer group readers has not read, and more partitions would lose their order/,
      ) as string,
    })
    await offsets('--to-latest')
    await apply(more)
    expect(said).toEqual([
      'topic tasks keeps 4 partitions where 8 are wanted; npm run topics -- --add-partitions adds them while everything that publishes is stopped',
    ])
    said = []
    await apply(more, true)
    expect(said).toEqual(['changed topic tasks: partitions 4 -> 8'])
  })

  it('are not touched when one of them has more partitions than it is to have', async () => {
    const before = await described()
    await expect(apply([{ ...LETTERS, retentionMs: 1000 }, TASKS])).rejects.toMatchObject({
      message:
        'Topic tasks has 8 partitions and is to have 2, and Kafka takes none away: remove the topic once its messages are consumed, and run this again.',
    })
    expect(said).toEqual([])
    expect(await described()).toEqual(before)
  })
})
