import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, it } from 'vitest'
import type { ReminderView } from '../../shared/domain/reminders/reminder.ts'
import { answerToWebhook } from '../worlds/answer-webhook.ts'
import { mailsAbout } from '../worlds/mailbox.ts'
import { product } from './harness/product.ts'
import { eventually, reminded, soon, type Reminded } from './harness/reminded.ts'

const daybook = await product()
const { mailbox } = daybook
const MINUTE_MS = 60_000
const servers: Server[] = []
afterAll(() => servers.forEach((server) => server.close()))

/** A title that no other mail holds. */
const title = (words: string) => `${words} ${crypto.randomUUID()}`
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString()
const before = (instant: string | null, minutes: number) =>
  new Date(Date.parse(instant!) - minutes * MINUTE_MS).toISOString()

/** Waits until a reminder of another task has come that was due later: what was to come before has come. */
async function aWhileLater(person: Reminded): Promise<void> {
  const { id } = await person.user.create({ remind_at: soon(500) })
  await person.hears(id)
}

const prefer = ({ user }: Reminded, preferences: object) =>
  user.does('PUT', '/api/notifications/preferences', preferences)

describe.concurrent('reminders, from outside', () => {
  it('one comes on the stream, in the list and as a mail, and the ledger tells of it', async () => {
    const person = await reminded(daybook)
    const task = await person.user.create({ title: title('Call the dentist') })
    const remindAt = soon()
    const { id, status } = await person.remind(task.id, { remind_at: remindAt })
    expect(status).toBe('scheduled')
    const [heard] = await person.hears(task.id)
    expect(heard).toMatchObject({ type: 'reminder', reminder_id: id, late: false, read_at: null })
    expect(heard!.title).toContain(task.title)
    expect(Date.parse(heard!.created_at)).toBeGreaterThanOrEqual(Date.parse(remindAt))
    expect(await person.listed(task.id)).toEqual([heard])
    await eventually(async () => {
      const { firings, status: now } = await person.reminder(id)
      expect(now).toBe('delivered')
      const line = { fire_at: remindAt, state: 'delivered', attempts: 1, late: false, reason: null }
      expect(firings).toHaveLength(2)
      expect(firings).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ ...line, channel: 'in_app' }),
          expect.objectContaining({ ...line, channel: 'email' }),
        ]),
      )
    })
    expect(mailsAbout(mailbox, task.title)).toHaveLength(1)
    expect(person.streamed(task.id)).toHaveLength(1)
  })

  it('a relative one moves with its task', async () => {
    const person = await reminded(daybook)
    const task = await person.user.create({ due_at: inMinutes(120) })
    const { id, remind_at: first } = await person.remind(task.id, { offset_minutes: 30 })
    expect(first).toBe(before(task.due_at, 30))
    const dueAt = new Date(Date.parse(soon()) + 30 * MINUTE_MS).toISOString()
    await person.user.does('PATCH', `/api/tasks/${task.id}`, { due_at: dueAt })
    expect((await person.reminder(id)).remind_at).toBe(before(dueAt, 30))
    expect(await person.hears(task.id)).toHaveLength(1)
  })

  it('one comes of a task that is due in an hour, though nobody asked, and in the app alone', async () => {
    const person = await reminded(daybook)
    const dueAt = new Date(Date.parse(soon()) + 60 * MINUTE_MS).toISOString()
    const task = await person.user.create({ due_at: dueAt })
    const [heard] = await person.hears(task.id)
    const { origin, firings } = await person.reminder(heard!.reminder_id!)
    expect([origin, firings.map(({ channel }) => channel)]).toEqual(['default', ['in_app']])
  })

  it('none comes of a task that was completed, deleted or skipped before', async () => {
    const person = await reminded(daybook)
    const completed = await person.user.create({ remind_at: soon() })
    const deleted = await person.user.create()
    const skipped = await person.user.create({ due_at: inMinutes(60), recurrence_rule: 'daily' })
    const ofDeleted = await person.remind(deleted.id, { remind_at: soon() })
    const ofSkipped = await person.remind(skipped.id, { remind_at: soon() })
    await person.user.does('POST', `/api/tasks/${completed.id}/complete`)
    await person.user.does('DELETE', `/api/tasks/${deleted.id}`)
    await person.user.does('POST', `/api/tasks/${skipped.id}/skip`)
    await aWhileLater(person)
    for (const { id } of [completed, deleted, skipped]) expect(await person.listed(id)).toEqual([])
    for (const { id } of [ofDeleted, ofSkipped]) expect((await person.reminder(id)).status).toBe('cancelled')
  })

  it('a snoozed one comes again when the snooze is over', async () => {
    const person = await reminded(daybook)
    const task = await person.user.create()
    const { id } = await person.remind(task.id, { remind_at: soon() })
    await person.hears(task.id)
    const until = soon()
    await person.user.does('POST', `/api/reminders/${id}/snooze`, { until })
    expect(await person.reminder(id)).toMatchObject({ status: 'snoozed', next_fire_at: until })
    expect(await person.hears(task.id, 2)).toHaveLength(2)
    const inApp = (await person.reminder(id)).firings.filter(({ channel }) => channel === 'in_app')
    expect(inApp.map(({ fire_at }) => fire_at)).toContain(until)
    expect(inApp).toHaveLength(2)
  })

  it('an urgent one comes again until it is acknowledged', async () => {
    const person = await reminded(daybook)
    const task = await person.user.create({ priority: 'high' })
    const { id, remind_at: remindAt } = await person.remind(task.id, { remind_at: soon() })
    await person.hears(task.id)
    expect((await person.reminder(id)).next_fire_at).toBe(before(remindAt, -10))
    await person.user.does('POST', `/api/reminders/${id}/acknowledge`)
    expect(await person.reminder(id)).toMatchObject({ status: 'acknowledged', next_fire_at: null })
  })

  it("a task's own remind_at is a reminder, and moves when it is changed", async () => {
    const person = await reminded(daybook)
    const task = await person.user.create({ remind_at: inMinutes(60) })
    const remindAt = soon()
    await person.user.does('PATCH', `/api/tasks/${task.id}`, { remind_at: remindAt })
    const [heard] = await person.hears(task.id)
    const { firings } = await person.reminder(heard!.reminder_id!)
    expect(firings.map(({ fire_at }) => fire_at)).toContain(remindAt)
    expect(await person.listed(task.id)).toHaveLength(1)
  })

  it('the next occurrence of a series has the reminders of the last', async () => {
    const person = await reminded(daybook)
    const task = await person.user.create({ due_at: inMinutes(600), recurrence_rule: 'daily' })
    const { channels } = await person.remind(task.id, { offset_minutes: 15, channels: ['in_app'] })
    await person.user.does('POST', `/api/tasks/${task.id}/complete`)
    const next = await eventually(async () => {
      const made = (await person.user.events()).find(({ type }) => type === 'task.occurrence.generated')
      expect(made).toBeDefined()
      return made!.data.task
    })
    const { items } = (await person.user.send('GET', `/api/tasks/${next.id}/reminders`)).body as {
      items: ReminderView[]
    }
    expect(items.filter(({ origin }) => origin === 'user')).toMatchObject([
      { status: 'scheduled', offset_minutes: 15, channels, remind_at: before(next.due_at, 15) },
    ])
  })

  it('who wants no mail gets none', async () => {
    const person = await reminded(daybook)
    await prefer(person, { channels: { reminder: ['in_app'] } })
    const task = await person.user.create({ title: title('Feed the tortoise') })
    const { id } = await person.remind(task.id, { remind_at: soon() })
    await person.hears(task.id)
    await aWhileLater(person)
    expect((await person.reminder(id)).firings.map(({ channel }) => channel)).toEqual(['in_app'])
    expect(mailsAbout(mailbox, task.title)).toEqual([])
  })

  it('quiet hours hold back what is not urgent', async () => {
    const person = await reminded(daybook)
    const now = Date.now()
    const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16)
    const quiet = { start: clock(now - 60 * MINUTE_MS), end: clock(now + 60 * MINUTE_MS) }
    await prefer(person, { quiet_hours: quiet })
    const calm = await person.user.create({ title: title('Sort the photos') })
    const urgent = await person.user.create({ priority: 'high' })
    const { id } = await person.remind(calm.id, { remind_at: soon() })
    await person.remind(urgent.id, { remind_at: soon(300) })
    await person.hears(urgent.id)
    await eventually(async () => {
      const { firings } = await person.reminder(id)
      expect(firings.map(({ state }) => state)).toEqual(['held', 'held'])
    })
    expect(await person.listed(calm.id)).toEqual([])
    expect(mailsAbout(mailbox, calm.title)).toEqual([])
  })

  it('a webhook that has answered a first message gets one signed message', async () => {
    const person = await reminded(daybook)
    const { url, got } = await receiver()
    await prefer(person, { webhook_url: url })
    const { webhook_secret: secret } = await eventually(async () => {
      const { body } = await person.user.send('GET', '/api/notifications/preferences')
      expect(body).toMatchObject({ webhook_confirmed_at: expect.any(String) as string })
      return body as { webhook_secret: string }
    })
    const task = await person.user.create({ title: title('Renew the passport') })
    const { id } = await person.remind(task.id, { remind_at: soon(), channels: ['webhook'] })
    await eventually(async () => {
      const { firings } = await person.reminder(id)
      expect(firings).toMatchObject([{ channel: 'webhook', state: 'delivered', attempts: 1 }])
    })
    expect(got).toHaveLength(2)
    const [{ body: first }, { headers, body: message }] = got as [Received, Received]
    expect(JSON.parse(first)).toMatchObject({ type: 'notification.confirmation' })
    expect(message).toContain(task.title)
    // Standard Webhooks, "Signature scheme": HMAC-SHA256 of id, time and body, with the part of the secret after whsec_.
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const signed = [headers['webhook-id'], headers['webhook-timestamp'], message].join('.')
    const signature = createHmac('sha256', key).update(signed).digest('base64')
    expect(String(headers['webhook-signature']).split(' ')).toContain(`v1,${signature}`)
  })
})

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

/** A server of the user's that takes whatever it is sent. */
async function receiver(): Promise<{ url: string; got: Received[] }> {
  const got: Received[] = []
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    got.push({ headers: request.headers, body })
    response.end(answerToWebhook(body))
  }
  const server = createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got }
}
