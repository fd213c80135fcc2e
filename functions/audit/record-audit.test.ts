import { describe, expect, it } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { AuditEntry } from '../../shared/domain/audit/entry.ts'
import type { Topic } from '../../shared/domain/event-definition.ts'
import { CATALOGUE, LoginSucceeded } from '../../shared/domain/events.ts'
import { draftEvent } from '../../shared/domain/draft-event.ts'
import { aChange, anEvent } from '../../testing/builders/a-task.ts'
import { deliver } from '../../testing/builders/messages.ts'
import { OLD_EVENTS } from '../../testing/builders/old-events.ts'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'
import { recordMissed } from '../../shared/app/audit/record-audit.ts'
import recordAudit from './record-audit.ts'

const service = await taskService(['audit/record-audit'])
const { deps, sql, newUser, ids } = { ...service, ids: service.deps.ids }
const SUCCESS = { status: 'SUCCESS' }

interface Message {
  topic: string
  event: CloudEvent
}

/** All messages that are waiting, of every topic. */
async function takeAll(): Promise<Message[]> {
  const taken: Message[] = []
  const publishAll = async (topic: string, events: CloudEvent[]) => {
    for (const event of events) taken.push({ topic, event })
    return new Set<string>()
  }
  await publishPending({ ...deps, broker: { eventsPerUser: 100, publishAll } })
  return taken.filter(({ topic }) => topic !== 'task-updates')
}

const send = ({ topic, event }: Message) => deliver(service, event, topic)

const entriesOf = async ({ id }: Pick<Client, 'id'>) =>
  (
    await sql<{ seq: number; body: string }[]>`
      select seq, body from audit_entries where user_id = ${id} order by seq`
  ).map(({ seq, body }) => ({ place: seq, ...(JSON.parse(body) as AuditEntry) }))

const actions = async (user: Pick<Client, 'id'>) => (await entriesOf(user)).map(({ action }) => action)

/** Events of one user, one for each of these types. */
async function happen(types: readonly string[]): Promise<{ id: string }> {
  const id = ids.uuid()
  const events = types.map((type) => {
    const [dataversion, data] = Object.entries(OLD_EVENTS[type] ?? {}).at(-1) ?? [
      '1.0',
      { actor: { type: 'user', id } },
    ]
    return anEvent({ id: ids.uuid(), type: type as never, dataversion, data, subject: `user/${id}` })
  })
  await deps.changes.commit(aChange(id, { events }))
  return { id }
}

describe('record-audit', () => {
  it('keeps who did what to what, when, from where and in which trace', async () => {
    const user = newUser()
    const headers = {
      ...asSidecar.headers,
      'x-forwarded-for': '203.0.113.9',
      'user-agent': 'curl/8',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }
    const task = await user.does('POST', '/api/tasks', { title: 'Pay rent' }, headers)
    await user.does('PATCH', `/api/tasks/${task.id}`, { title: 'Pay the rent' }, headers)
    for (const message of await takeAll()) expect(await send(message)).toEqual(SUCCESS)
    const actor = { type: 'user', id: user.id, client_ip: '203.0.113.9', user_agent: 'curl/8' }
    expect(await entriesOf(user)).toMatchObject([
      {
        place: 1,
        seq: 1,
        user_id: user.id,
        at: '2026-03-02T08:00:00.000Z',
        action: 'task.created',
        resource: `task/${task.id}`,
        actor,
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        details: { title: 'Pay rent' },
      },
      {
        action: 'task.updated',
        actor,
        details: { title: 'Pay the rent', changes: { title: { old: 'Pay rent', new: 'Pay the rent' } } },
      },
    ])
  })

  it('records every type of event of every topic, authentication included', async () => {
    const types = CATALOGUE.map(({ type }) => type).filter((type) => type !== 'audit.checkpoint.signed')
    const topics: readonly Topic[] = ['task-events', 'reminders', 'notification-events', 'audit-events']
    expect(new Set(recordAudit.topics)).toEqual(new Set(topics))
    const user = await happen(types)
    const [message] = await takeAll()
    await send(message!)
    expect(await actions(user)).toEqual(types)
  })

  it('makes one entry of an event that is delivered twice, or twenty times at once', async () => {
    const user = newUser()
    await user.create()
    await user.create()
    const [first, second] = await takeAll()
    const answers = await Promise.all(Array.from({ length: 20 }, () => [send(first!), send(second!)]).flat())
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(SUCCESS)]),
    )
    await send(first!)
    expect((await entriesOf(user)).map(({ place }) => place)).toEqual([1, 2])
  })

  it('keeps the order of the user, whichever topic brings its news first', async () => {
    const types = [
      'auth.login.succeeded',
      'task.created',
      'notification.sent',
      'task.updated',
      'reminder.sent',
    ]
    const user = await happen(types)
    const messages = await takeAll()
    await Promise.all(messages.toReversed().map(send))
    expect(await actions(user)).toEqual(types)
  })

  it('records each of several replicas once', async () => {
    const users = await Promise.all(
      Array.from({ length: 20 }, () => happen(['task.created', 'task.updated'])),
    )
    const messages = await takeAll()
    const { createAuditTrail } = await import('../../shared/db/audit/audit-trail.ts')
    const other = { ...deps, auditTrail: createAuditTrail(sql) }
    await Promise.all(
      messages.flatMap(({ event }) => [recordAudit.deliver(event, deps), recordAudit.deliver(event, other)]),
    )
    for (const user of users) expect(await actions(user)).toEqual(['task.created', 'task.updated'])
  })

  it('takes batches', async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => happen(['task.created', 'task.updated'])))
    const entries = (await takeAll()).map(({ event }, index) => ({ entryId: String(index), event }))
    const body = JSON.stringify({ id: ids.uuid(), type: 'com.dapr.event.sent.bulk', entries })
    await service.app.request('/dapr/events/task-events', { method: 'POST', body, ...asSidecar })
    for (const user of users) expect(await actions(user)).toHaveLength(2)
  })

  it('is not held up by a message with broken Unicode, which no event has', async () => {
    const user = newUser()
    expect((await user.send('POST', '/api/tasks', '{"title":"\\ud800"}')).status).toBe(422)
    const login = draftEvent(LoginSucceeded, {
      id: ids.uuid(),
      subject: `user/${user.id}`,
      time: service.clock.now(),
      trace: null,
      data: { actor: { type: 'user', id: user.id, user_agent: '\ud800' } },
    })
    await expect(deps.changes.commit(aChange(user.id, { events: [login] }))).rejects.toThrow('json')
    await user.create()
    const [message] = await takeAll()
    const broken = structuredClone(message!)
    ;(broken.event.data as { task: { title: string } }).task.title = '\udc00'
    expect(await send(broken)).toEqual(SUCCESS)
    expect(await entriesOf(user)).toMatchObject([{ details: { title: 'Pay rent' } }])
  })

  it('leaves out changes that take kilobytes, and tells of what they are', async () => {
    const user = newUser()
    const { id } = await user.create()
    await user.does('PATCH', `/api/tasks/${id}`, { description: 'x'.repeat(5000), title: 'Long' })
    await send((await takeAll()).at(-1)!)
    expect((await entriesOf(user))[1]?.details).toEqual({ title: 'Long', changed: ['title', 'description'] })
  })

  it('leaves the most of a backlog to the sweep', async () => {
    const user = await happen(Array.from({ length: 500 }, () => 'task.updated'))
    await send((await takeAll())[0]!)
    expect(await entriesOf(user)).toHaveLength(200)
    await recordMissed(deps)
    expect((await entriesOf(user)).map(({ place }) => place)).toEqual(
      Array.from({ length: 500 }, (_, index) => index + 1),
    )
  })
})
