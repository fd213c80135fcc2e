import { describe, expect, it, vi } from 'vitest'
import type { Broker } from '../../shared/app/outbox/ports.ts'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'
import { loadFunctions } from '../main.ts'

const { newUser, deps, sql } = await taskService()

interface Accepted {
  topic: string
  event: CloudEvent
}

interface How {
  refuses?: (event: CloudEvent) => boolean
  before?: () => Promise<unknown>
  eventsPerUser?: number
}

/** A broker that keeps what it accepts, in order; `refuses` and `before` make it fail or wait. */
function broker({ eventsPerUser = 1, ...how }: How = {}) {
  const accepted: Accepted[] = []
  const publishAll: Broker['publishAll'] = async (topic, events) => {
    await how.before?.()
    const refused = new Set<string>()
    const users = new Set<string>()
    for (const event of events) {
      if (users.has(event.userid) || how.refuses?.(event)) {
        refused.add(event.id)
        users.add(event.userid)
      } else accepted.push({ topic, event })
    }
    return refused
  }
  const of = (user: Client, topic = 'task-events') =>
    accepted
      .filter((one) => one.topic === topic && one.event.userid === user.id)
      .map(({ event }) => Number(event.sequence))
  return { eventsPerUser, publishAll, of, accepted }
}

async function relay(
  to: Broker,
  headers: Record<string, string> = { 'dapr-api-token': deps.settings.appToken },
) {
  const app = mountFunctions(await loadFunctions(['outbox/relay-events']), { ...deps, broker: to })
  return (await app.request('/dapr/cron/relay-events-cron', { method: 'POST', headers })).status
}

/** A user who has done `writes` things that nobody has published. */
async function busyUser(writes: number): Promise<Client> {
  const user = newUser()
  for (let write = 1; write <= writes; write += 1) await user.create()
  return user
}

/** Ends the connection of whoever holds a publisher's lock (PUBLISH_LOCK of the outbox) in this database. */
const breakPublisher = () => sql`
  select pg_terminate_backend(pid, 5000) from pg_locks join pg_database d on d.oid = database
  where locktype = 'advisory' and classid = 7246003 and datname = current_database() and pid <> pg_backend_pid()`

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const waiting = async () => (await deps.outbox.backlog()).waiting

describe('relay-events', () => {
  it.each([1, 4])('publishes what was left behind, once and in order, by %i in a call', async (perUser) => {
    const [first, second] = [await busyUser(3), await busyUser(30)]
    let calls = 0
    const kafka = broker({ eventsPerUser: perUser, before: async () => void (calls += 1) })
    expect(await relay(kafka)).toBe(204)
    expect([kafka.of(first), kafka.of(second)]).toEqual([upTo(3), upTo(30)])
    expect([kafka.of(first, 'task-updates'), kafka.of(second, 'task-updates')]).toEqual([upTo(3), upTo(30)])
    expect(await waiting()).toBe(0)
    expect(await relay(kafka)).toBe(204)
    expect(kafka.accepted).toHaveLength(66)
    // To task-events and to task-updates.
    expect(calls).toBe(2 * Math.ceil(30 / perUser))
  })

  it('leaves everything waiting while the broker is away, and says that it failed', async () => {
    const user = await busyUser(2)
    const away = broker({ before: () => Promise.reject(new Error('connection refused')) })
    expect(await relay(away)).toBe(500)
    expect(await waiting()).toBe(2)
    const kafka = broker()
    expect(await relay(kafka)).toBe(204)
    expect(kafka.of(user)).toEqual([1, 2])
  })

  it('publishes again what a publisher had published when it died, and nothing out of order', async () => {
    const user = await busyUser(4)
    const kafka = broker()
    // The publisher's connection breaks when two events are out, before it can note that.
    const dying = broker({
      before: async () => void (dying.of(user).length === 2 && (await breakPublisher())),
    })
    await expect(publishPending({ ...deps, broker: dying })).rejects.toMatchObject({
      code: expect.stringMatching(/CLOSED|57P01/) as string,
    })
    // It goes on without its connection, for nothing: the tests after this one do not begin before it has ended.
    await vi.waitFor(() => expect(dying.accepted).toHaveLength(8))
    await vi.waitFor(async () => expect(await waiting()).toBe(4))
    await vi.waitFor(async () => expect(await relay(kafka)).toBe(204))
    const everything = [...dying.of(user), ...kafka.of(user)]
    expect([...new Set(everything)]).toEqual(upTo(4))
    expect(everything.length).toBeGreaterThan(4)
    expect(await waiting()).toBe(0)
  })

  it('never lets two publishers overtake each other within a user', async () => {
    const users = await Promise.all(upTo(6).map(() => busyUser(15)))
    // Each call takes as many turns as its number says, so that later ones often end before earlier ones.
    let calls = 0
    const kafka = broker({
      before: async () => {
        for (let turn = (calls += 7) % 11; turn > 0; turn -= 1) await new Promise(setImmediate)
      },
    })
    const publishing = upTo(5).map(async () => {
      while ((await waiting()) > 0) await publishPending({ ...deps, broker: kafka })
    })
    const writing = users.map(async (user) => {
      for (let write = 0; write < 5; write += 1) await user.create()
    })
    await Promise.all([...publishing, ...writing])
    expect(await relay(kafka)).toBe(204)
    expect(users.map((user) => kafka.of(user))).toEqual(users.map(() => upTo(20)))
  })

  it.each([1, 4])('gets round a user whose events are refused, by %i in a call', async (eventsPerUser) => {
    const [stuck, ...others] = await Promise.all([busyUser(25), ...upTo(205).map(() => busyUser(1))])
    const refuses = (event: CloudEvent) => event.userid === stuck.id && Number(event.sequence) === 2
    const kafka = broker({ eventsPerUser, refuses })
    expect(await relay(kafka)).toBe(204)
    expect(others.filter((user) => kafka.of(user).length === 1)).toHaveLength(205)
    expect(kafka.of(stuck)).toEqual([1])
    expect(await waiting()).toBe(24)
    const mended = broker()
    expect(await relay(mended)).toBe(204)
    expect(mended.of(stuck)).toEqual(upTo(25).slice(1))
  })

  it('gets round a user with an event that cannot be written out, as one of a later release', async () => {
    const [ahead, other] = [await busyUser(3), await busyUser(2)]
    await sql`update events set type = 'task.pinned' where user_id = ${ahead.id} and seq = 2`
    const kafka = broker({ eventsPerUser: 4 })
    expect(await relay(kafka)).toBe(204)
    expect([kafka.of(ahead), kafka.of(other)]).toEqual([[1], [1, 2]])
    expect(await waiting()).toBe(2)
    await sql`update events set type = 'task.created' where user_id = ${ahead.id} and seq = 2`
    expect(await relay(kafka)).toBe(204)
    expect(kafka.of(ahead)).toEqual([1, 2, 3])
  })

  it('holds an event back when only its compact copy is refused', async () => {
    const user = await busyUser(2)
    let refusals = 1
    const kafka: Broker = {
      eventsPerUser: 2,
      publishAll: async (topic, events) =>
        topic === 'task-updates' && refusals-- > 0 ? new Set(events.map(({ id }) => id)) : new Set(),
    }
    await relay(kafka)
    expect(await waiting()).toBe(2)
    const later = broker()
    await relay(later)
    expect(later.of(user, 'task-updates')).toEqual([1, 2])
  })

  it('is for the sidecar only', async () => {
    const user = await busyUser(1)
    const kafka = broker()
    expect(await relay(kafka, {})).toBe(401)
    expect(await relay(kafka, { 'dapr-api-token': 'guessed' })).toBe(401)
    expect(kafka.accepted).toEqual([])
    await relay(kafka)
    expect(kafka.of(user)).toEqual([1])
  })
})
