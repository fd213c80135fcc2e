import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { TaskService } from '../worlds/task-service.ts'

/** What is waiting to be published goes to the test instead of a consumer: messages of task-events, in order. */
export async function takeMessages({ deps }: TaskService): Promise<CloudEvent[]> {
  const taken: CloudEvent[] = []
  const publishAll = async (topic: string, events: CloudEvent[]) => {
    if (topic === 'task-events') taken.push(...events)
    return new Set<string>()
  }
  await publishPending({ ...deps, broker: { eventsPerUser: 1, publishAll } })
  return taken
}

/** Delivers a message as a sidecar does; resolves to what the consumer says. */
export async function deliver({ app, deps }: TaskService, message: CloudEvent): Promise<unknown> {
  const answer = await app.request('/dapr/events/task-events', {
    method: 'POST',
    body: JSON.stringify(message),
    headers: { 'dapr-api-token': deps.settings.appToken },
  })
  return answer.json()
}
