import { describe, expect, it } from 'vitest'
import { deliverDue } from '../../shared/app/deliver-notifications.ts'
import type { CommitResult } from '../../shared/app/ports.ts'
import type { Client } from '../tasks/testing/task-service.ts'
import { notificationService } from './testing/notification-service.ts'

const service = await notificationService()
const { newUser, reminded, tick, at, deps, sent, deadLetters, broker, answerWith, sql } = service
const { account, device, prefer, request, bring, messages, sweep, entries, told, inbox } = service

const secondsPast805 = (seconds: number) =>
  at(new Date(Date.parse('2026-03-02T08:05:00Z') + seconds * 1000).toISOString())

/** A reminder that has fired, with a mail that is yet to be sent. */
async function fired(user: Client, input: object = {}) {
  const address = await account(user)
  const { reminder } = await reminded(user, { title: 'Call the bank', ...input })
  secondsPast805(0)
  await tick()
  const [message] = await messages(user, 'reminder.triggered')
  return { address, reminder, message: message! }
}
const mails = async (user: Client) =>
  (await entries(user))
    .filter(({ channel }) => channel === 'email')
    .map(({ state, attempts }) => [state, attempts])
const states = async (user: Client) => (await entries(user)).map(({ channel, state }) => [channel, state])
const done = { status: 'SUCCESS' }

describe('a reminder that has fired', () => {
  it('is mailed to the address of the account when its event comes, and the ledger says so', async () => {
    const user = newUser()
    const { address, message } = await fired(user)
    expect(await bring('reminders', message)).toEqual(done)
    const [, mail] = await entries(user)
    expect(sent).toMatchObject([{ id: mail!.id, channel: 'email', to: address, title: 'Call the bank' }])
    expect(await mails(user)).toEqual([['delivered', 1]])
    expect(await told(user)).toEqual([
      ...['reminder.triggered', 'notification.sent', 'notification.sent', 'reminder.sent'],
    ])
    const ended = (await user.events()).at(-1)!.data
    expect(ended).toMatchObject({ delivered: ['in_app', 'email'], failed: [] })
  })

  it('is sent once, however often its event comes, after the sweep and all at once', async () => {
    const user = newUser()
    const { message } = await fired(user)
    await device(user)
    await Promise.all([...Array.from({ length: 5 }, () => bring('reminders', message)), sweep(), sweep()])
    await bring('reminders', message)
    await sweep()
    expect(sent).toHaveLength(1)
    expect(await mails(user)).toEqual([['delivered', 1]])
    expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(1)
  })

  it('is sent by the sweep when its event is lost', async () => {
    const user = newUser()
    await fired(user)
    await sweep()
    expect(await mails(user)).toEqual([['delivered', 1]])
  })

  it('is sent again, with the same id, only when the worker dies between sending and writing it down', async () => {
    const user = newUser()
    const { message } = await fired(user)
    const commit = async (): Promise<CommitResult> => Promise.reject(new Error('killed'))
    await deliverDue({ ...deps, changes: { ...deps.changes, commit } })
    await bring('reminders', message)
    await sweep()
    expect(sent).toHaveLength(1)
    secondsPast805(61)
    await sweep()
    expect(sent).toHaveLength(2)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(await mails(user)).toEqual([['delivered', 1]])
  })

  it('is not taken from a worker that is slow but alive, whose result counts once', async () => {
    const user = newUser()
    const { message } = await fired(user)
    const slow = Promise.withResolvers<{ outcome: 'delivered' }>()
    answerWith(() => (sent.length === 1 ? slow.promise : { outcome: 'failed', reason: 'busy' }))
    const first = bring('reminders', message)
    await expect.poll(() => sent.length).toBe(1)
    secondsPast805(30)
    await bring('reminders', message)
    expect(sent).toHaveLength(1)
    secondsPast805(61)
    await bring('reminders', message)
    expect(await mails(user)).toEqual([['triggered', 1]])
    slow.resolve({ outcome: 'delivered' })
    await first
    expect(await mails(user)).toEqual([['triggered', 1]])
    answerWith(() => ({ outcome: 'delivered' }))
    secondsPast805(62)
    await sweep()
    expect(await mails(user)).toEqual([['delivered', 2]])
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
  })

  it('has ended once when its last deliveries end at the same moment', async () => {
    const user = newUser()
    await device(user)
    await device(user)
    await prefer(user, { webhook_url: 'https://hooks.example.org/x' })
    const { message } = await fired(user)
    let waiting = 0
    const all = Promise.withResolvers<void>()
    answerWith(async () => {
      waiting += 1
      if (waiting === 4) all.resolve()
      await all.promise
      return { outcome: 'delivered' }
    })
    await bring('reminders', message)
    expect(await states(user)).toEqual([
      ['in_app', 'delivered'],
      ['email', 'delivered'],
      ['web_push', 'delivered'],
      ['web_push', 'delivered'],
      ['webhook', 'delivered'],
    ])
    expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(1)
  })
})

describe('a delivery', () => {
  it('is written down without being sent again, however many others of its notification end before', async () => {
    const user = newUser()
    await fired(user)
    let others = 20
    const commit: typeof deps.changes.commit = async (change) =>
      others-- > 0 ? { outcome: 'conflict' } : deps.changes.commit(change)
    await deliverDue({ ...deps, changes: { ...deps.changes, commit } })
    expect(await mails(user)).toEqual([['delivered', 1]])
    expect(sent).toHaveLength(1)
  })

  it('that takes long does not keep its event, and so all events behind it, waiting', async () => {
    const user = newUser()
    const { message } = await fired(user)
    const slow = Promise.withResolvers<{ outcome: 'delivered' }>()
    answerWith(() => slow.promise)
    expect(await bring('reminders', message)).toEqual(done)
    expect(await mails(user)).toEqual([['triggered', 0]])
    slow.resolve({ outcome: 'delivered' })
    await expect.poll(() => mails(user)).toEqual([['delivered', 1]])
  })
})

describe('a delivery that fails', () => {
  it('is tried again after 1 s, 5 s, 30 s and 5 min, with the same id, and then given up', async () => {
    const user = newUser()
    const { message } = await fired(user)
    answerWith(() => ({ outcome: 'failed', reason: 'the server is busy' }))
    let second = 0
    for (const [tries, pause] of [1, 5, 30, 300].entries()) {
      await sweep()
      expect(sent).toHaveLength(tries + 1)
      expect((await deps.deliveries.nextDueAt())?.getTime()).toBe(
        Date.parse('2026-03-02T08:05:00Z') + (second + pause) * 1000,
      )
      secondsPast805(second + pause - 0.001)
      await sweep()
      expect(sent).toHaveLength(tries + 1)
      second += pause
      secondsPast805(second)
    }
    expect(deadLetters).toEqual([])
    await sweep()
    secondsPast805(100_000)
    await sweep()
    expect(sent).toHaveLength(5)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(deadLetters).toEqual([
      { ...message, dlqconsumer: 'deliver-notifications/email', dlqreason: 'the server is busy' },
    ])
    expect((await entries(user))[1]).toMatchObject({
      ...{ state: 'failed', attempts: 5, reason: 'the server is busy', next_attempt_at: null },
    })
    expect((await told(user)).slice(2)).toEqual(['notification.failed', 'reminder.sent'])
    expect((await user.events()).at(-1)!.data).toMatchObject({ delivered: ['in_app'], failed: ['email'] })
  })

  it('waits for as long as the other side asks', async () => {
    const user = newUser()
    await fired(user)
    answerWith(() => ({ outcome: 'failed', reason: 'slow down', afterMs: 120_000 }))
    await sweep()
    secondsPast805(119.9)
    await sweep()
    expect(sent).toHaveLength(1)
    secondsPast805(120)
    await sweep()
    expect(sent).toHaveLength(2)
  })

  it('is given up at once when it is refused', async () => {
    const user = newUser()
    await fired(user)
    answerWith(() => ({ outcome: 'refused', reason: 'no such mailbox' }))
    await sweep()
    expect(await mails(user)).toEqual([['failed', 1]])
    expect(deadLetters).toMatchObject([{ type: 'reminder.triggered', dlqreason: 'no such mailbox' }])
  })

  it('has failed as a reminder when no channel has brought it', async () => {
    const user = newUser()
    await account(user)
    await reminded(user, {}, { channels: ['email'] })
    secondsPast805(0)
    await tick()
    answerWith(() => ({ outcome: 'refused', reason: 'no such mailbox' }))
    await sweep()
    expect(await told(user)).toEqual(['reminder.triggered', 'notification.failed', 'reminder.failed'])
  })

  it('stays, and is not lost, while the broker does not take its dead letter', async () => {
    const user = newUser()
    await fired(user)
    answerWith(() => ({ outcome: 'refused', reason: 'no such mailbox' }))
    broker.isAway = true
    await sweep()
    expect(await mails(user)).toEqual([['triggered', 0]])
    broker.isAway = false
    secondsPast805(61)
    await sweep()
    expect(await mails(user)).toEqual([['failed', 1]])
    expect(deadLetters).toHaveLength(1)
  })

  it('keeps no other from being delivered, on its own channel or on another', async () => {
    const [stuck, user] = [newUser(), newUser()]
    const { address } = await fired(stuck)
    await device(user)
    await fired(user)
    const never = Promise.withResolvers<{ outcome: 'delivered' }>()
    answerWith(({ to }) => (to === address ? never.promise : { outcome: 'delivered' }))
    const sweeping = sweep()
    await expect
      .poll(() => states(user))
      .toEqual([
        ['in_app', 'delivered'],
        ['email', 'delivered'],
        ['web_push', 'delivered'],
      ])
    const another = newUser()
    await device(another)
    await fired(another)
    await expect.poll(async () => (await states(another)).at(-1)).toEqual(['web_push', 'delivered'])
    never.resolve({ outcome: 'delivered' })
    await sweeping
    expect(await mails(stuck)).toEqual([['delivered', 1]])
  })

  it('is no try while the way out is closed, and goes out soon after it is open again', async () => {
    const user = newUser()
    await fired(user)
    answerWith(() => ({ outcome: 'unreachable', reason: 'the sidecar is away' }))
    for (let second = 0; second <= 600; second += 10) {
      secondsPast805(second)
      await sweep()
    }
    expect([await mails(user), deadLetters]).toEqual([[['triggered', 0]], []])
    answerWith(() => ({ outcome: 'delivered' }))
    secondsPast805(610)
    await sweep()
    expect(await mails(user)).toEqual([['delivered', 1]])
  })

  it('of one user, however many there are, leaves lanes to the others', async () => {
    const [greedy, modest] = [newUser(), newUser()]
    const address = await account(greedy)
    for (let nth = 0; nth < 30; nth += 1) await reminded(greedy, {}, { channels: ['email'] })
    secondsPast805(0)
    await tick()
    const silence = Promise.withResolvers<{ outcome: 'delivered' }>()
    answerWith(({ to }) => (to === address ? silence.promise : { outcome: 'delivered' }))
    const sweeping = sweep()
    await fired(modest)
    await expect.poll(() => mails(modest)).toEqual([['delivered', 1]])
    silence.resolve({ outcome: 'delivered' })
    await sweeping
    expect(new Set((await states(greedy)).flat())).toEqual(new Set(['email', 'delivered']))
  })
})

describe('a device that is gone', () => {
  it('is forgotten, and only that one', async () => {
    const user = newUser()
    const [gone, kept] = [await device(user), await device(user)]
    await fired(user)
    answerWith(({ to }) =>
      to.endsWith(gone)
        ? { outcome: 'gone', reason: 'the subscription has expired' }
        : { outcome: 'delivered' },
    )
    await sweep()
    expect((await deps.subscriptions.list(user.id)).map(({ id }) => id)).toEqual([kept])
    expect((await entries(user)).filter(({ channel }) => channel === 'web_push')).toMatchObject([
      { state: 'failed', reason: 'the subscription has expired' },
      { state: 'delivered', reason: null },
    ])
    expect(deadLetters).toEqual([])
  })

  it('that the user has removed meanwhile is asked nothing', async () => {
    const user = newUser()
    const id = await device(user)
    await fired(user)
    await deps.subscriptions.remove(user.id, id)
    await sweep()
    expect(sent.map(({ channel }) => channel)).toEqual(['email'])
    expect(await states(user)).toContainEqual(['web_push', 'failed'])
  })

  it('of another user is never reached', async () => {
    const [user, other] = [newUser(), newUser()]
    const id = await device(user)
    await fired(user)
    await sql`update push_subscriptions set user_id = ${other.id} where id = ${id}`
    await sweep()
    expect(sent.map(({ channel }) => channel)).toEqual(['email'])
  })
})

describe('a notification that another service asks for', () => {
  it('is shown and sent as the preferences say', async () => {
    const user = newUser()
    const address = await account(user)
    await prefer(user, { channels: { notice: ['in_app', 'email'] } })
    expect(await bring('notification-events', await request(user, 'Your export is ready'))).toEqual(done)
    expect(await inbox(user)).toEqual(['Your export is ready'])
    expect(sent).toMatchObject([{ channel: 'email', to: address, title: 'Your export is ready' }])
    expect(await told(user)).toEqual(['notification.requested', 'notification.sent', 'notification.sent'])
  })

  it('is made and sent once, however often it is asked for', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { channels: { notice: ['in_app', 'email'] } })
    const message = await request(user, 'Your export is ready')
    await Promise.all(Array.from({ length: 5 }, () => bring('notification-events', message)))
    await sql`delete from processed_events where event_id = ${message.id}`
    expect(await bring('notification-events', message)).toEqual(done)
    await sweep()
    expect(await states(user)).toEqual([
      ['in_app', 'delivered'],
      ['email', 'delivered'],
    ])
    expect(sent).toHaveLength(1)
    expect(await inbox(user)).toHaveLength(1)
  })

  it('goes to the dead letters at once when the event that asks has no id that it can have', async () => {
    const user = newUser()
    const message = { ...(await request(user, 'Your export is ready')), id: 'export-17' }
    expect(await bring('notification-events', message)).toEqual(done)
    expect(deadLetters).toMatchObject([{ id: 'export-17', dlqreason: 'the id of the event is no UUID' }])
  })

  it('goes to the dead letters when it cannot be delivered', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { channels: { notice: ['email'] } })
    const message = await request(user, 'Your export is ready')
    answerWith(() => ({ outcome: 'refused', reason: 'no such mailbox' }))
    await bring('notification-events', message)
    expect(deadLetters).toMatchObject([{ id: message.id, type: 'notification.requested' }])
  })
})
