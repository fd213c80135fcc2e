import { expect } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { asSidecar } from '../worlds/compose-daybook.ts'
import type { TaskService } from '../worlds/task-service.ts'

/** What is waiting to be published goes to the test instead of a consumer: the messages of a topic, in order. */
export async function takeMessages({ deps }: TaskService, of = 'task-events'): Promise<CloudEvent[]> {
  const taken: CloudEvent[] = []
  const publishAll = async (topic: string, events: CloudEvent[]) => {
    if (topic === of) taken.push(...events)
    return new Set<string>()
  }
  await publishPending({ ...deps, broker: { eventsPerUser: 1, publishAll } })
  return taken
}

/** The one message of its type that is waiting, on task-events. */
export async function takeOne(service: TaskService, type: string): Promise<CloudEvent> {
  const found = (await takeMessages(service)).filter((message) => message.type === type)
  expect(found).toHaveLength(1)
  return found[0]!
}

/** Delivers a message as a sidecar does; resolves to what the consumer says. */
export async function deliver(
  { app }: Pick<TaskService, 'app'>,
  message: CloudEvent,
  topic = 'task-events',
): Promise<unknown> {
  const body = JSON.stringify(message)
  const answer = await app.request(`/dapr/events/${topic}`, { method: 'POST', body, ...asSidecar })
  return answer.json()
}
