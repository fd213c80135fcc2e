import { expect, it } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import editMe from '../auth/edit-me.ts'
import registerUser from '../auth/register-user.ts'
import setPreferences from '../notifications/set-preferences.ts'
import createTask from '../tasks/create-task.ts'
import { loadFunctions } from '../main.ts'

const world = await identityWorld()
const [followUser] = await loadFunctions(['recurrence/follow-user'])

/** Every event that waits, given to the consumer twice. */
async function deliverAll(): Promise<void> {
  const published: CloudEvent[] = []
  const publishAll = async (_: string, events: CloudEvent[]) => {
    published.push(...events)
    return new Set<string>()
  }
  await publishPending({ ...world.deps, broker: { eventsPerUser: 1, publishAll } })
  if (followUser?.kind !== 'topic') throw new Error('follow-user is not a topic function')
  for (const event of [...published, ...published]) {
    if (followUser.wants(event.type)) await followUser.deliver(event, world.deps)
  }
}

it.each<[string, HttpFunction]>([
  ['a user who moves', editMe],
  ['a user who chooses a zone for notifications', setPreferences],
])('takes the floating tasks of %s along, once', async (name, fn) => {
  const account = { email: `${fn.method}@example.org`, password: 'correct horse battery staple' }
  const { body } = await world.call<SignedIn>(registerUser, {
    json: { ...account, time_zone: 'Europe/Berlin' },
  })
  const token = body.access_token
  const json = { title: name, due_at: '2026-12-01T09:00:00', time_zone: 'floating' }
  const { body: task } = await world.call<TaskView>(createTask, { token, json })
  await deliverAll()
  expect((await world.call(fn, { token, json: { time_zone: 'America/New_York' } })).status).toBe(200)
  await deliverAll()
  const rows = await world.sql`select due_at, version from tasks where id = ${task.id}`
  expect(rows).toEqual([{ due_at: new Date('2026-12-01T14:00:00.000Z'), version: 2 }])
})
