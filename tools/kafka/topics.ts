import { ProgramError } from '../program-error.ts'
import { runKafkaTool } from './java.ts'

export interface KafkaCluster {
  /** `host:port`, separated by commas. */
  brokers: string
  /** Properties of Kafka's admin client (security.protocol, sasl.…), for a cluster that asks for more. */
  propertiesFile?: string
}

export interface TopicPlan {
  name: string
  partitions: number
  retentionMs: number
  /** Copies of each message; as many as there are brokers when those are fewer. */
  replication: number
}

interface Found {
  partitions: number
  replication: number
  configs: ReadonlyMap<string, string>
}

/** With so many copies one broker may be away without a message being lost or refused. */
const SAFE_COPIES = 3

export interface ApplyOptions {
  /**
   * Adds partitions, for which everything that publishes must be stopped: a key may move to another partition, and nobody
   * but the operator knows that no message is on its way.
   */
  addPartitions: boolean
}

/**
 * Makes the topics of a plan and brings those that differ to it; `say` gets a line for each change. When one cannot be
 * brought to it, nothing is done.
 */
export async function applyTopics(
  cluster: KafkaCluster,
  plans: readonly TopicPlan[],
  say: (line: string) => void,
  { addPartitions }: ApplyOptions = { addPartitions: false },
): Promise<void> {
  const found = await describeTopics(cluster)
  const tooMany = plans.find(({ name, partitions }) => (found.get(name)?.partitions ?? 0) > partitions)
  if (tooMany) {
    const { name, partitions } = tooMany
    throw new ProgramError(
      'usage',
      `Topic ${name} has ${found.get(name)!.partitions} partitions and is to have ${partitions}, and Kafka takes none away: remove the topic once its messages are consumed, and run this again.`,
    )
  }
  const growing = plans.filter(
    ({ name, partitions }) => partitions > (found.get(name)?.partitions ?? partitions),
  )
  if (addPartitions && growing.length > 0) await requireRead(cluster, growing)
  const isCopied = plans.some(({ name, replication }) => replication > (found.get(name)?.replication ?? 1))
  const brokers = isCopied ? await countBrokers(cluster) : 1
  await Promise.all(
    plans.map(async (plan) => {
      const wanted = { ...plan, replication: Math.min(plan.replication, brokers) }
      const topic = found.get(plan.name)
      await (topic ? change(cluster, wanted, topic, { say, addPartitions }) : create(cluster, wanted, say))
    }),
  )
}

/** What waits unread in a partition would lose its order with what comes to another. */
async function requireRead(cluster: KafkaCluster, growing: readonly TopicPlan[]): Promise<void> {
  const lags = await lagsOf(cluster)
  const behind = lags.find(({ topic, lag }) => lag > 0 && growing.some(({ name }) => name === topic))
  if (!behind) return
  const { topic, group, lag } = behind
  throw new ProgramError(
    'usage',
    `Topic ${topic} has ${lag} messages that the consumer group ${group} has not read, and more partitions would lose their order: stop what publishes to it, let the group come to its end, and run this again.`,
  )
}

async function create(cluster: KafkaCluster, plan: TopicPlan, say: (line: string) => void): Promise<void> {
  const { name, partitions, replication } = plan
  const configs = configsOf(plan, replication)
  await runKafkaTool(`make topic ${name}`, [
    ...topicCommand(cluster),
    '--create',
    '--if-not-exists',
    '--topic',
    name,
    '--partitions',
    String(partitions),
    '--replication-factor',
    String(replication),
    ...[...configs].flatMap(([key, value]) => ['--config', `${key}=${value}`]),
  ])
  say(`made topic ${name}: partitions ${partitions}, replication ${replication}, ${listed(configs)}`)
}

async function change(
  cluster: KafkaCluster,
  plan: TopicPlan,
  found: Found,
  { say, addPartitions }: ApplyOptions & { say: (line: string) => void },
): Promise<void> {
  const { name, partitions, replication } = plan
  if (found.partitions < partitions && !addPartitions) {
    say(
      `topic ${name} keeps ${found.partitions} partitions where ${partitions} are wanted; npm run topics -- --add-partitions adds them while everything that publishes is stopped`,
    )
  } else if (found.partitions < partitions) {
    await runKafkaTool(`add partitions to topic ${name}`, [
      ...topicCommand(cluster),
      '--alter',
      '--topic',
      name,
      '--partitions',
      String(partitions),
    ])
    say(`changed topic ${name}: partitions ${found.partitions} -> ${partitions}`)
  }
  const wanted = configsOf(plan, found.replication)
  const differing = new Map([...wanted].filter(([key, value]) => found.configs.get(key) !== value))
  if (differing.size > 0) {
    await runKafkaTool(`change topic ${name}`, [
      'kafka.admin.ConfigCommand',
      ...connection(cluster),
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      name,
      '--add-config',
      [...differing].map(([key, value]) => `${key}=${value}`).join(','),
    ])
    const before = (key: string) => found.configs.get(key) ?? "the broker's default"
    const changes = [...differing].map(([key, value]) => `${key} ${before(key)} -> ${value}`)
    say(`changed topic ${name}: ${changes.join(', ')}`)
  }
  if (found.replication < replication) {
    say(
      `topic ${name} keeps replication ${found.replication} where ${replication} is wanted; kafka-reassign-partitions changes that`,
    )
  }
}

const configsOf = ({ retentionMs }: TopicPlan, copies: number): Map<string, string> =>
  new Map([
    ['cleanup.policy', 'delete'],
    ['retention.ms', String(retentionMs)],
    ['min.insync.replicas', copies < SAFE_COPIES ? '1' : String(copies - 1)],
  ])

const listed = (configs: ReadonlyMap<string, string>): string =>
  [...configs].map(([key, value]) => `${key} ${value}`).join(', ')

async function describeTopics(cluster: KafkaCluster): Promise<Map<string, Found>> {
  const text = await runKafkaTool('tell its topics', [
    ...topicCommand(cluster),
    '--describe',
    '--exclude-internal',
  ])
  const topics = new Map<string, Found>()
  for (const line of text.split('\n')) {
    const [, name, partitions, replication, configs] =
      /^Topic: (\S+)\t.*PartitionCount: (\d+)\s+ReplicationFactor: (\d+)\s+Configs: ?(\S*)/.exec(line) ?? []
    if (name === undefined) continue
    const pairs = (configs ?? '').split(',').map((pair): [string, string] => {
      const [key = '', value = ''] = pair.split('=')
      return [key, value]
    })
    topics.set(name, {
      partitions: Number(partitions),
      replication: Number(replication),
      configs: new Map(pairs),
    })
  }
  return topics
}

interface Lag {
  topic: string
  group: string
  lag: number
}

/** How far each consumer group is behind in each partition. */
async function lagsOf(cluster: KafkaCluster): Promise<Lag[]> {
  const text = await runKafkaTool('tell what is unread', [
    'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    ...connection(cluster),
    '--describe',
    '--all-groups',
  ])
  // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …; `-` where nobody knows, which may be all.
  const lines = text.matchAll(/^(\S+)\s+(\S+)\s+\d+\s+(\d+|-)\s+(\d+|-)\s+(\d+|-)/gm)
  return [...lines].map(([, group, topic, , end, lag]) => ({
    topic: topic!,
    group: group!,
    lag: lag !== '-' ? Number(lag) : end !== '-' ? Number(end) : Number.POSITIVE_INFINITY,
  }))
}

async function countBrokers({ brokers, propertiesFile }: KafkaCluster): Promise<number> {
  const text = await runKafkaTool('tell its brokers', [
    'org.apache.kafka.tools.ClusterTool',
    'list-endpoints',
    '--bootstrap-server',
    brokers,
    ...(propertiesFile === undefined ? [] : ['--config', propertiesFile]),
  ])
  return [...text.matchAll(/^\d+\s.*\bbroker\s*$/gm)].length
}

const topicCommand = (cluster: KafkaCluster) => [
  'org.apache.kafka.tools.TopicCommand',
  ...connection(cluster),
]

const connection = ({ brokers, propertiesFile }: KafkaCluster): string[] => [
  '--bootstrap-server',
  brokers,
  ...(propertiesFile === undefined ? [] : ['--command-config', propertiesFile]),
]
