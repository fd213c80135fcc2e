import { beforeEach, expect } from 'vitest'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aChange, anEvent } from '../builders/a-task.ts'
import type { TestDaybook } from './compose-daybook.ts'
import { reminderService } from './reminder-service.ts'
import type { Client } from './task-service.ts'

/** A line of the ledger, in the order in which they were written. */
interface Entry {
  id: string
  channel: string
  state: string
  attempts: number
  reason: string | null
  next_attempt_at: Date | null
  title: string
}

/** Call at the top of a file: tasks, firing, and deliveries with senders that only remember, on one database and one clock. */
export async function notificationService() {
  const service = await reminderService([
    'notifications/deliver-notifications',
    'notifications/sweep-deliveries',
    'notifications/get-preferences',
    'notifications/set-preferences',
  ])
  const { sql, deps, call, published, broker, sent, channels } = service
  const { deliver } = broker
  const { answer } = channels
  const deadLetters: CloudEvent[] = []
  broker.deliver = async (topic, event) => {
    if (topic === 'dlq-events') deadLetters.push(event)
    else await deliver(topic, event)
  }
  beforeEach(() => {
    sent.length = 0
    deadLetters.length = 0
    broker.isAway = false
    channels.answer = answer
  })

  const sweep = async () => {
    const { status } = await call('/dapr/cron/sweep-deliveries-cron')
    const logged = status < 300 ? [] : service.logged.slice(-1)
    expect({ status, logged }).toEqual({ status: 204, logged: [] })
  }
  /** Publishes what is waiting; resolves to the messages of a type. */
  const messages = async (user: Client, type: string) => {
    await publishPending(deps)
    return published
      .filter(({ topic, event }) => topic !== 'dlq-events' && event.userid === user.id && event.type === type)
      .map(({ event }) => event)
  }
  return {
    ...service,
    /** Of what was published. */
    deadLetters,
    messages,
    answerWith: (next: TestDaybook['channels']['answer']) => void (channels.answer = next),
    /** Gives the user an account with a mail address that is confirmed. */
    account: async (user: Client, { timeZone = 'UTC' }: { timeZone?: string } = {}) => {
      const address = `${user.id}@example.org`
      await sql`insert into users values (${user.id}, ${address}, 'x', ${timeZone}, now(), now())`
      return address
    },
    /** A browser of the user that has taken its first message; resolves to the id of its subscription. */
    device: async (user: Client) => {
      const id = systemIds.uuid()
      const keys = sql.json({ p256dh: 'p', auth: 'a' })
      await sql`insert into push_subscriptions
        values (${id}, ${user.id}, 'web_push', ${`https://push.example.org/${id}`}, ${keys}, now(), now())`
      return id
    },
    /** A webhook has answered its first message. */
    prefer: async (user: Client, preferences: object) => {
      await user.does('PUT', '/api/notifications/preferences', preferences)
      await sql`update notification_preferences set webhook_confirmed_at = updated_at
        where user_id = ${user.id} and webhook_id is not null`
      await sql`delete from deliveries d using notifications n
        where n.id = d.notification_id and n.type = 'confirmation' and d.user_id = ${user.id}`
    },
    /** Asks, as another service, to have something told; resolves to the message as the broker delivers it. */
    request: async (user: Client, title: string) => {
      const data = { title, body: 'Said by a test.', task_id: null, actor: { type: 'system', id: 'test' } }
      const said = { type: 'notification.requested', source: '/services/test' } as const
      const event = anEvent({ ...said, time: deps.clock.now(), data })
      await deps.changes.commit(aChange(user.id, { events: [event] }))
      return (await messages(user, 'notification.requested')).find(({ id }) => id === event.id)!
    },
    /** Delivers a message of a topic; resolves to what the consumers say. */
    bring: async (topic: string, message: CloudEvent): Promise<unknown> =>
      (await call(`/dapr/events/${topic}`, message)).json(),
    sweep,
    /** Sweeps at a time of the second of March. */
    sweepAt: async (time: string) => {
      service.at(`2026-03-02T${time}Z`)
      await sweep()
    },
    entries: (user: Client) => sql<Entry[]>`
      select d.id, channel, state, attempts, reason, next_attempt_at, n.title
      from deliveries d join notifications n on n.id = d.notification_id
      where d.user_id = ${user.id} order by d.id`,
    /** Types of what happened to notifications and reminders of the user, in order. */
    told: async (user: Client) =>
      (await user.events()).map(({ type }) => type).filter((type) => /^(notification|reminder)\./.test(type)),
    /** Titles of what the app shows, in order. */
    inbox: async (user: Client) => {
      const rows = await sql<{ title: string }[]>`
        select title from notifications where user_id = ${user.id} and seq is not null order by seq`
      return rows.map(({ title }) => title)
    },
  }
}
