import type { Topic } from './event-definition.ts'

interface TopicSettings {
  partitions: number
  retentionDays: number
}

/** On as many brokers as there are, but no more. */
export const MAX_REPLICATION = 3

/** How a broker that can be told keeps each topic. */
export const TOPIC_SETTINGS: Readonly<Record<Topic, TopicSettings>> = {
  'task-events': { partitions: 6, retentionDays: 7 },
  'task-updates': { partitions: 6, retentionDays: 1 },
  reminders: { partitions: 3, retentionDays: 1 },
  'notification-events': { partitions: 3, retentionDays: 1 },
  'audit-events': { partitions: 6, retentionDays: 30 },
  'dlq-events': { partitions: 3, retentionDays: 14 },
}
