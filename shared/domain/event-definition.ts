import type { z } from 'zod'

export const TOPICS = [
  'task-events',
  'task-updates',
  'reminders',
  'notification-events',
  'audit-events',
  'dlq-events',
] as const
export type Topic = (typeof TOPICS)[number]

export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  type: Type
  topic: Topic
  source: string
  /**
   * Of `data`, as the attribute `dataversion` says it: the second number rises with what is added and may be missing, the
   * first with any other change; then events of the one before are read by upcast.ts.
   */
  version: `${number}.${number}`
  data: Data
}

export function define<Type extends string, Data extends z.ZodType>(
  type: Type,
  place: Pick<EventDefinition, 'topic' | 'source'>,
  data: Data,
  version: EventDefinition['version'] = '1.0',
): EventDefinition<Type, Data> {
  return { type, ...place, data, version }
}

export type EventData<E extends EventDefinition> = z.infer<E['data']>
