import { TOPICS } from '../../shared/domain/event-definition.ts'
import { MAX_REPLICATION, TOPIC_SETTINGS } from '../../shared/domain/topics.ts'
import { applyTopics, type KafkaCluster, type TopicPlan } from '../../tools/kafka/topics.ts'

const DAY_MS = 86_400_000

/** Makes Daybook's topics on a Kafka cluster, or brings them to what is wanted; `brokers`: it has so many and no more. */
export function applyOurTopics(
  cluster: KafkaCluster,
  say: (line: string) => void,
  { brokers = MAX_REPLICATION, addPartitions = false } = {},
): Promise<void> {
  const replication = Math.min(brokers, MAX_REPLICATION)
  const plans = TOPICS.map((name): TopicPlan => {
    const { partitions, retentionDays } = TOPIC_SETTINGS[name]
    return { name, partitions, retentionMs: retentionDays * DAY_MS, replication }
  })
  return applyTopics(cluster, plans, say, { addPartitions })
}
