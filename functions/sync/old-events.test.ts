import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { definitionOf } from '../../shared/domain/events.ts'
import { eventSchemas } from '../../shared/openapi/event-schemas.ts'
import { OLD_EVENTS } from '../../testing/builders/old-events.ts'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService([
  'sync/list-changes',
  'reminders/add-reminder',
  'reminders/schedule-reminder',
  'notifications/deliver-notifications',
])
const { sql, app, deps, jobs, newUser, published, broker } = service
broker.deliver = async () => {}

/** Writes events into the log and the outbox as an earlier version did. */
async function store(
  user: Client,
  events: { type: string; dataversion: string; data: object }[],
): Promise<void> {
  for (const { type, dataversion, data } of events) {
    const { source } = definitionOf(type)!
    await sql`
      with place as (
        insert into user_counters as c (user_id, last_seq) values (${user.id}, 1)
        on conflict (user_id, turn) do update set last_seq = c.last_seq + 1 returning last_seq),
      written as (
        insert into events (user_id, seq, id, type, dataversion, source, subject, time, data)
        select ${user.id}, last_seq, ${deps.ids.uuid()}, ${type}, ${dataversion}, ${source}, 'task/1',
          '2026-03-02T09:00:00Z', ${sql.json(data as never)} from place
        returning user_id, seq, time)
      insert into outbox (user_id, seq, time) select user_id, seq, time from written`
  }
}

const old = Object.entries(OLD_EVENTS).flatMap(([type, versions]) =>
  Object.entries(versions).map(([dataversion, data]) => ({ type, dataversion, data })),
)

const schemas = eventSchemas()
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
const errorsOf = ({ type, ...event }: CloudEvent) => {
  const { $id: _, ...schema } = schemas[type]!
  const validate = ajv.compile(schema)
  return validate({ type, ...event }) ? null : validate.errors
}

async function deliver(topic: string, event: CloudEvent): Promise<unknown> {
  const body = JSON.stringify(event)
  return (await app.request(`/dapr/events/${topic}`, { method: 'POST', body, ...asSidecar })).json()
}

describe('events that an earlier version has stored', () => {
  it('are answered and published in the present version of their type, by its schema', async () => {
    const user = newUser()
    await store(user, old)
    const { body } = await user.send('GET', '/api/changes?limit=1000')
    const { items } = body as { items: CloudEvent[] }
    await publishPending(deps)
    const sent = published.filter(({ topic, event }) => topic !== 'task-updates' && event.userid === user.id)
    // Each topic has a call of its own; within one they are in order.
    const inOrder = sent.map(({ event }) => event).toSorted((a, b) => (a.sequence < b.sequence ? -1 : 1))
    expect(inOrder).toEqual(items)
    expect(items.map(({ type }) => type)).toEqual(old.map(({ type }) => type))
    for (const event of items) {
      const { type, dataversion, dataschema } = event
      expect([type, dataversion]).toEqual([type, definitionOf(type)!.version])
      expect(dataschema).toBe(`urn:daybook:event:${type}:${dataversion}`)
      expect([type, errorsOf(event)]).toEqual([type, null])
    }
    await sql`delete from events where user_id = ${user.id}`
    await sql`delete from user_counters where user_id = ${user.id}`
  }, 60_000)

  it('are shown as they are where this Daybook is the older one', async () => {
    const user = newUser()
    const data = { task: 'of another shape' }
    await store(user, [{ type: 'task.created', dataversion: '3.0', data }])
    const { body } = await user.send('GET', '/api/changes')
    expect(body).toMatchObject({ items: [{ dataversion: '3.0', data }] })
    expect((body as { items: CloudEvent[] }).items[0]!.dataschema).toBe('urn:daybook:event:task.created:3.0')
    await sql`delete from outbox where user_id = ${user.id}`
  })
})

/** A message as an earlier version has published it, of an event that this one has written. */
const asPublished = (event: CloudEvent, data: object): CloudEvent => ({
  ...event,
  dataversion: '1.0',
  dataschema: `urn:daybook:event:${event.type}:1.0`,
  data,
})

async function lastOf(user: Client, type: string): Promise<CloudEvent> {
  const { body } = await user.send('GET', '/api/changes?limit=1000')
  return (body as { items: CloudEvent[] }).items.findLast((event) => event.type === type)!
}

describe('messages that an earlier version has published', () => {
  it('lead to the next occurrence, once', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', recurrence_rule: 'daily' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    const completed = await lastOf(user, 'task.completed')
    const { task: then, actor } = completed.data as { task: object; actor: object }
    const message = asPublished(completed, { task: then, actor })
    expect(await deliver('task-events', message)).toEqual({ status: 'SUCCESS' })
    expect(await deliver('task-events', message)).toEqual({ status: 'SUCCESS' })
    const made = (await user.events()).filter(({ type }) => type === 'task.occurrence.generated')
    expect(made.map(({ data }) => data.task.due_at)).toEqual(['2026-03-03T09:00:00.000Z'])
  })

  it('set the job of a reminder', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    await user.does('POST', `/api/tasks/${task.id}/reminders`, { offset_minutes: 10 })
    const scheduled = await lastOf(user, 'reminder.scheduled')
    const { reminder } = scheduled.data as { reminder: { id: string } }
    const data = OLD_EVENTS['reminder.scheduled']!['1.0'] as { reminder: object }
    const message = asPublished(scheduled, { ...data, reminder: { ...data.reminder, id: reminder.id } })
    expect(await deliver('reminders', message)).toEqual({ status: 'SUCCESS' })
    expect(jobs.get(`reminder-${reminder.id}`)?.dueTime).toEqual(new Date('2026-03-02T08:50:00Z'))
  })

  it('make the notification that another service asks for, once', async () => {
    const user = newUser()
    await user.create()
    const event = await lastOf(user, 'task.created')
    const type = 'notification.requested'
    const message = asPublished({ ...event, id: deps.ids.uuid(), type }, OLD_EVENTS[type]!['1.0']!)
    expect(await deliver('notification-events', message)).toEqual({ status: 'SUCCESS' })
    expect(await deliver('notification-events', message)).toEqual({ status: 'SUCCESS' })
    const told = await sql`select title from notifications where user_id = ${user.id}`
    expect(told).toEqual([{ title: 'Your export is ready' }])
  })
})
