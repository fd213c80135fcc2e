import type { CloudEvent } from '../cloud-event.ts'

interface TaskMessage {
  type: 'task.created' | 'task.updated' | 'task.deleted' | 'task.reordered'
  data: object
  /** The type of the event, which says more. */
  event: string
}

const TYPES: Readonly<Record<string, TaskMessage['type']>> = {
  'task.created': 'task.created',
  'task.occurrence.generated': 'task.created',
  'task.updated': 'task.updated',
  'task.completed': 'task.updated',
  'task.reopened': 'task.updated',
  'task.restored': 'task.updated',
  'task.occurrence.skipped': 'task.updated',
  'task.deleted': 'task.deleted',
  'task.reordered': 'task.reordered',
}

/** An event as the requirement documents have clients told of it; null for what is about no task. */
export function taskMessage({ type: event, time, data }: CloudEvent): TaskMessage | null {
  const type = TYPES[event]
  if (type === undefined) return null
  const { task, positions } = data as { task?: { id: string }; positions?: { task_id: string }[] }
  if (type === 'task.reordered') {
    const ids = positions!.map(({ task_id: id }) => id)
    return { type, data: { task_ids: ids, positions, updated_at: time }, event }
  }
  return { type, data: type === 'task.deleted' ? { id: task!.id } : task!, event }
}
