import { beforeEach, expect } from 'vitest'
import type { Message, Outward, SendResult } from '../../../shared/app/reminder-ports.ts'
import { publishPending } from '../../../shared/app/publish-events.ts'
import { createSafeFetch } from '../../../shared/channels/safe-fetch.ts'
import { createDeliveryQueue } from '../../../shared/db/delivery-queue.ts'
import { createPreferenceStore } from '../../../shared/db/preference-store.ts'
import { createSubscriptionStore } from '../../../shared/db/subscription-store.ts'
import { createTaskReader } from '../../../shared/db/task-reader.ts'
import type { CloudEvent } from '../../../shared/domain/cloud-event.ts'
import type { DaybookFunction } from '../../../shared/kit/mount-functions.ts'
import { systemIds, systemTimer } from '../../../shared/kit/system.ts'
import { aChange, anEvent } from '../../../shared/testing/a-task.ts'
import { reminderService, type ReminderService } from '../../reminders/testing/reminder-service.ts'
import type { Client } from '../../tasks/testing/task-service.ts'
import deliverNotifications from '../deliver-notifications.ts'
import getPreferences from '../get-preferences.ts'
import setPreferences from '../set-preferences.ts'
import sweepDeliveries from '../sweep-deliveries.ts'

/** What a sender was asked to send, as far as tests look at it. */
export interface Sent {
  id: string
  channel: Outward
  /** Address, endpoint, token or URL. */
  to: string
  title: string
  body: string
}

/** A line of the ledger, in the order in which they were written. */
export interface Entry {
  id: string
  channel: string
  state: string
  attempts: number
  reason: string | null
  next_attempt_at: Date | null
  title: string
}

export interface NotificationService extends ReminderService {
  /** Everything that was handed to a sender, in order. */
  sent: Sent[]
  /** How senders answer: by default everything is delivered. */
  answers: (sent: Sent) => SendResult | Promise<SendResult>
  answerWith(answers: NotificationService['answers']): void
  /** Dead letters; while it is away, nothing is published. */
  deadLetters: CloudEvent[]
  broker: { isAway: boolean }
  /** Gives the user an account with a mail address. */
  account(user: Client, options?: { timeZone?: string }): Promise<string>
  /** A browser of the user; resolves to the id of its subscription. */
  device(user: Client): Promise<string>
  prefer(user: Client, preferences: object): Promise<void>
  /** Asks, as another service, to have something told; resolves to the message as the broker delivers it. */
  request(user: Client, title: string): Promise<CloudEvent>
  /** Delivers a message of a topic; resolves to what the consumers say. */
  bring(topic: string, message: CloudEvent): Promise<unknown>
  /** Publishes what is waiting; resolves to the messages of a type. */
  messages(user: Client, type: string): Promise<CloudEvent[]>
  /** The tick of delivery-cron. */
  sweep(): Promise<void>
  entries(user: Client): Promise<Entry[]>
  /** Types of what happened to notifications and reminders of the user, in order. */
  told(user: Client): Promise<string[]>
  /** Titles of what the app shows, in order. */
  inbox(user: Client): Promise<string[]>
}

/** Call at the top of a file: tasks, firing, and deliveries with senders that only remember, on one database and one clock. */
export async function notificationService(also: DaybookFunction[] = []): Promise<NotificationService> {
  const functions = [deliverNotifications, sweepDeliveries, getPreferences, setPreferences]
  const service = await reminderService([...functions, ...also])
  const { sql, deps, app, published } = service
  const sent: Sent[] = []
  const delivered = () => ({ outcome: 'delivered' }) as const
  let answers: NotificationService['answers'] = delivered
  const deadLetters: CloudEvent[] = []
  const broker = { isAway: false }
  const sender =
    <Destination>(channel: Outward, addressOf: (destination: Destination) => string) =>
    async ({ id, notification: { title, body } }: Message, destination: Destination) => {
      const one: Sent = { id, channel, to: addressOf(destination), title, body }
      sent.push(one)
      return answers(one)
    }
  const { publishAll } = deps.broker
  Object.assign(deps, {
    startTimer: systemTimer,
    deliveries: createDeliveryQueue(sql),
    preferences: createPreferenceStore(sql),
    subscriptions: createSubscriptionStore(sql),
    tasks: createTaskReader(sql),
    outbound: createSafeFetch({}),
    senders: {
      email: sender('email', ({ address }: { address: string }) => address),
      web_push: sender('web_push', ({ endpoint }: { endpoint: string }) => endpoint),
      mobile_push: sender('mobile_push', ({ token }: { token: string }) => token),
      webhook: sender('webhook', ({ url }: { url: string }) => url),
    },
    broker: {
      publishAll: async (topic: string, events: CloudEvent[]) => {
        if (broker.isAway) throw new Error('the broker is away')
        if (topic !== 'dlq-events') return publishAll(topic, events)
        deadLetters.push(...events)
        return new Set()
      },
    },
  })
  beforeEach(() => {
    sent.length = 0
    deadLetters.length = 0
    broker.isAway = false
    answers = delivered
  })

  const call = async (path: string, body?: object) =>
    app.request(path, {
      ...{ method: 'POST', headers: { 'dapr-api-token': deps.settings.appToken } },
      ...(body && { body: JSON.stringify(body) }),
    })
  const messages: NotificationService['messages'] = async (user, type) => {
    await publishPending(deps)
    return published
      .map(({ event }) => event)
      .filter((event) => event.userid === user.id && event.type === type)
  }
  return {
    ...service,
    ...{ sent, answers, deadLetters, broker, messages },
    answerWith: (next) => void (answers = next),
    account: async (user, { timeZone = 'UTC' } = {}) => {
      const address = `${user.id}@example.org`
      await sql`insert into users values (${user.id}, ${address}, 'x', ${timeZone}, now())`
      return address
    },
    device: async (user) => {
      const id = systemIds.uuid()
      const keys = sql.json({ p256dh: 'p', auth: 'a' })
      await sql`insert into push_subscriptions
        values (${id}, ${user.id}, 'web_push', ${`https://push.example.org/${id}`}, ${keys}, now())`
      return id
    },
    prefer: async (user, preferences) =>
      void (await user.does('PUT', '/api/notifications/preferences', preferences)),
    request: async (user, title) => {
      const data = { title, body: 'Said by a test.', task_id: null, actor: { type: 'system', id: 'test' } }
      const event = anEvent({
        ...{ type: 'notification.requested', source: '/services/test', time: deps.clock.now(), data },
      })
      await deps.changes.commit(aChange(user.id, { events: [event] }))
      return (await messages(user, 'notification.requested')).find(({ id }) => id === event.id)!
    },
    bring: async (topic, message) => (await call(`/dapr/events/${topic}`, message)).json(),
    sweep: async () => {
      const { status } = await call('/dapr/cron/delivery-cron')
      expect({ status, logged: status < 300 ? [] : service.logged.slice(-1) }).toEqual({
        status: 204,
        logged: [],
      })
    },
    entries: (user) => sql<Entry[]>`
      select d.id, channel, state, attempts, reason, next_attempt_at, n.title
      from deliveries d join notifications n on n.id = d.notification_id
      where d.user_id = ${user.id} order by d.id`,
    told: async (user) =>
      (await user.events()).map(({ type }) => type).filter((type) => /^(notification|reminder)\./.test(type)),
    inbox: async (user) => {
      const rows = await sql<{ title: string }[]>`
        select title from notifications where user_id = ${user.id} and seq is not null order by seq`
      return rows.map(({ title }) => title)
    },
  }
}
