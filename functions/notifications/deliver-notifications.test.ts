import { describe, expect, it } from 'vitest'
import { systemOrigin, toChange } from '../../shared/app/commit-decision.ts'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import type { CommitResult } from '../../shared/app/ports.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import { askToConfirm } from '../../shared/domain/notifications/confirmation.ts'
import { notificationService } from '../../testing/worlds/notification-service.ts'

const service = await notificationService()
const { newUser, reminded, tick, at, deps, sent, deadLetters, broker, answerWith, sql } = service
const { account, device, prefer, request, bring, messages, sweep, entries, told, inbox } = service

const secondsPast805 = (seconds: number) =>
  at(new Date(Date.parse('2026-03-02T08:05:00Z') + seconds * 1000).toISOString())

const sweepPast805 = async (seconds: number) => {
  secondsPast805(seconds)
  await sweep()
}

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
      'reminder.triggered',
      'notification.sent',
      'notification.sent',
      'reminder.sent',
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
    await deliverDue({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-deliveries')
    await bring('reminders', message)
    await sweep()
    expect(sent).toHaveLength(1)
    await sweepPast805(61)
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
    await sweepPast805(62)
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
    // The event itself waits a tenth of a second at most.
    await expect
      .poll(() => states(user))
      .toEqual([
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
    await deliverDue({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-deliveries')
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
      await sweepPast805(second + pause - 0.001)
      expect(sent).toHaveLength(tries + 1)
      second += pause
      secondsPast805(second)
    }
    expect(deadLetters).toEqual([])
    await sweep()
    await sweepPast805(100_000)
    expect(sent).toHaveLength(5)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(deadLetters).toEqual([
      { ...message, dlqconsumer: 'deliver-notifications/email', dlqreason: 'the server is busy' },
    ])
    expect((await entries(user))[1]).toMatchObject({
      state: 'failed',
      attempts: 5,
      reason: 'the server is busy',
      next_attempt_at: null,
    })
    expect((await told(user)).slice(2)).toEqual(['notification.failed', 'reminder.sent'])
    expect((await user.events()).at(-1)!.data).toMatchObject({ delivered: ['in_app'], failed: ['email'] })
  })

  it('waits for as long as the other side asks', async () => {
    const user = newUser()
    await fired(user)
    answerWith(() => ({ outcome: 'failed', reason: 'slow down', afterMs: 120_000 }))
    await sweep()
    await sweepPast805(119.9)
    expect(sent).toHaveLength(1)
    await sweepPast805(120)
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
    await sweepPast805(61)
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
    answerWith(() => ({ outcome: 'unreachable', reason: 'the sidecar is unreachable' }))
    for (let second = 0; second <= 600; second += 10) {
      await sweepPast805(second)
    }
    expect([await mails(user), deadLetters]).toEqual([[['triggered', 0]], []])
    answerWith(() => ({ outcome: 'delivered' }))
    await sweepPast805(610)
    expect(await mails(user)).toEqual([['delivered', 1]])
  })

  it('to one host, whosever it is, leaves lanes to other hosts; and a host that was slow shares them with all slow ones', async () => {
    const users = Array.from({ length: 20 }, () => newUser())
    const hang = (nth: number) =>
      nth < 10 ? 'https://hangs.example.org/' : `https://hangs-${nth}.example.org/`
    for (const [nth, user] of users.entries()) {
      await prefer(user, { webhook_url: `${hang(nth)}${nth}` })
      await reminded(user, {}, { channels: ['webhook'] })
    }
    secondsPast805(0)
    await tick()
    let silence = Promise.withResolvers<{ outcome: 'delivered' }>()
    const underWay = { now: 0, most: 0 }
    answerWith(async ({ to }) => {
      if (!to.includes('hangs')) return { outcome: 'delivered' }
      underWay.most = Math.max(underWay.most, ++underWay.now)
      await silence.promise
      underWay.now -= 1
      return { outcome: 'delivered' }
    })
    const innocent = async (name: string, at: number) => {
      const user = newUser()
      await prefer(user, { webhook_url: `https://${name}.example.org/` })
      await reminded(user, {}, { channels: ['webhook'] })
      secondsPast805(at)
      await tick()
      return user
    }
    // Eight of the ten to one host, and the ten to others.
    const first = sweep()
    await expect.poll(() => underWay.now).toBe(18)
    const early = await innocent('early', 0)
    await expect.poll(async () => (await states(early)).flat()).toEqual(['webhook', 'delivered'])
    secondsPast805(6)
    silence.resolve({ outcome: 'delivered' })
    await first
    // By now each of them is known to be slow, so all together have as many lanes as one.
    const slow = users.slice(10)
    for (const user of slow)
      await reminded(user, {}, { channels: ['webhook'], remindAt: new Date(deps.clock.now()) })
    silence = Promise.withResolvers()
    Object.assign(underWay, { now: 0, most: 0 })
    await tick()
    const [message] = await messages(slow[0]!, 'reminder.triggered').then((all) => all.slice(-1))
    expect(await bring('reminders', message!)).toEqual(done)
    expect(underWay.most).toBe(0)
    const second = sweep()
    await expect.poll(() => underWay.now).toBe(8)
    const late = await innocent('late', 6)
    await expect.poll(async () => (await states(late)).flat()).toEqual(['webhook', 'delivered'])
    expect(underWay.most).toBe(8)
    silence.resolve({ outcome: 'delivered' })
    await second
  })

  it('to one host is put off to the next hour when there are too many, and not lost', async () => {
    const user = newUser()
    Object.assign(deps.settings, { maxDeliveriesPerHost: 2 })
    await prefer(user, { webhook_url: 'https://busy.example.org/' })
    for (let nth = 0; nth < 3; nth += 1) await reminded(user, {}, { channels: ['webhook'] })
    secondsPast805(0)
    await tick()
    await sweep()
    await sweep()
    Object.assign(deps.settings, { maxDeliveriesPerHost: 5000 })
    expect(sent).toHaveLength(2)
    const waits = { state: 'triggered', attempts: 0, reason: 'too many messages to this host within an hour' }
    expect((await entries(user)).filter(({ state }) => state !== 'delivered')).toMatchObject([waits])
    await sweepPast805(3600)
    expect(new Set((await states(user)).map(([, state]) => state))).toEqual(new Set(['delivered']))
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
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
    const ended = { delivered: ['in_app', 'email', 'web_push'], failed: [] }
    expect((await user.events()).at(-1)!.data).toMatchObject(ended)
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
    expect(await told(user)).toEqual([
      'notification.requested',
      'notification.created',
      'notification.sent',
      'notification.sent',
    ])
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
    expect(deadLetters).toMatchObject([{ id: 'export-17', dlqreason: 'the event id is not a UUID' }])
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

describe('what is not confirmed', () => {
  it('gets no message and a line in the ledger; the app shows it, and nothing is lost afterwards', async () => {
    const user = newUser()
    const address = await account(user)
    const target = await device(user)
    await prefer(user, { webhook_url: 'https://hooks.example.org/x' })
    const confirm = async (at: Date | null) => {
      await sql`update users set email_confirmed_at = ${at} where id = ${user.id}`
      await sql`update push_subscriptions set confirmed_at = ${at} where id = ${target}`
      await sql`update notification_preferences set webhook_confirmed_at = ${at} where user_id = ${user.id}`
    }
    await confirm(null)
    await reminded(user, { title: 'Before' })
    secondsPast805(0)
    await tick()
    await sweep()
    expect(sent).toEqual([])
    expect(await inbox(user)).toEqual(['Before'])
    const cancelled = { state: 'cancelled', attempts: 0, reason: 'this address is not confirmed yet' }
    expect(await entries(user)).toMatchObject([
      { channel: 'in_app', state: 'delivered' },
      ...['email', 'web_push', 'webhook'].map((channel) => ({ ...cancelled, channel })),
    ])
    expect((await user.events()).at(-1)).toMatchObject({
      type: 'reminder.sent',
      data: { delivered: ['in_app'], failed: [] },
    })
    await confirm(deps.clock.now())
    await reminded(user, { title: 'After' })
    await tick()
    await sweep()
    expect(sent.map(({ channel, title }) => `${channel}: ${title}`).toSorted()).toEqual([
      'email: After',
      'web_push: After',
      'webhook: After',
    ])
    expect(sent.map(({ to }) => to)).toContain(address)
  })

  it('is told in the app when nothing else is left', async () => {
    const user = newUser()
    await account(user)
    await sql`update users set email_confirmed_at = null where id = ${user.id}`
    await reminded(user, { title: 'Only by mail' }, { channels: ['email'] })
    secondsPast805(0)
    await tick()
    await sweep()
    expect([await inbox(user), sent]).toEqual([['Only by mail'], []])
  })

  it('gets nothing that was on its way before', async () => {
    const user = newUser()
    const { message } = await fired(user)
    await sql`update users set email_confirmed_at = null where id = ${user.id}`
    await bring('reminders', message)
    expect(sent).toEqual([])
    expect(await entries(user)).toMatchObject([{}, { channel: 'email', state: 'failed' }])
  })
})

describe('a first message', () => {
  const HOOK = 'https://hooks.example.org/new'
  const put = (user: Client, webhook_url: string) =>
    user.send('PUT', '/api/notifications/preferences', { webhook_url })
  const confirmedAt = async (user: Client) =>
    (
      (await user.send('GET', '/api/notifications/preferences')).body as {
        webhook_confirmed_at: string | null
      }
    ).webhook_confirmed_at

  it('goes to a new webhook, which is confirmed when it answers, however often it is swept', async () => {
    const user = newUser()
    expect((await put(user, HOOK)).body).toMatchObject({ webhook_confirmed_at: null })
    answerWith(() => ({ outcome: 'failed', reason: 'the webhook answered 500' }))
    await sweep()
    expect(await confirmedAt(user)).toBeNull()
    answerWith(() => ({ outcome: 'delivered' }))
    secondsPast805(2000)
    await Promise.all([sweep(), sweep()])
    await sweep()
    expect(sent.map(({ channel, to, title }) => [channel, to, title])).toEqual(
      Array.from({ length: 2 }, () => ['webhook', HOOK, 'Daybook notifications are enabled']),
    )
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(await confirmedAt(user)).not.toBeNull()
    expect(await told(user)).toEqual(['notification.target.confirmed'])
    expect([await inbox(user), deadLetters]).toEqual([[], []])
    expect((await put(user, HOOK)).body).toMatchObject({ webhook_confirmed_at: expect.any(String) as string })
    await sweep()
    expect(sent).toHaveLength(2)
  })

  it('confirms nothing but the webhook that it went to', async () => {
    const user = newUser()
    await put(user, HOOK)
    answerWith(async ({ to }) => {
      if (to !== HOOK) return { outcome: 'failed', reason: 'the webhook answered 500' }
      await put(user, `${HOOK}/another`)
      return { outcome: 'delivered' }
    })
    await sweep()
    expect(await confirmedAt(user)).toBeNull()
    secondsPast805(4000)
    answerWith(() => ({ outcome: 'delivered' }))
    await sweep()
    expect(sent.map(({ to }) => to)).toEqual([HOOK, `${HOOK}/another`, `${HOOK}/another`])
    expect(await confirmedAt(user)).not.toBeNull()
  })

  it('that is given up is no dead letter, and is sent again with the next change', async () => {
    const user = newUser()
    await put(user, HOOK)
    answerWith(() => ({ outcome: 'refused', reason: 'the webhook answered 410, gone' }))
    await sweep()
    await sweep()
    expect([sent.length, deadLetters]).toEqual([1, []])
    expect(await confirmedAt(user)).toBeNull()
    await put(user, HOOK)
    await sweep()
    expect(sent).toHaveLength(2)
  })

  it('is sent ten times in an hour for one user, wherever they lead', async () => {
    const user = newUser()
    const urls = Array.from({ length: 13 }, (_, nth) => `https://victim-${nth}.example.org/`)
    for (const url of urls) {
      expect((await put(user, url)).status).toBe(200)
      await sweep()
    }
    expect(sent.map(({ to }) => to)).toEqual(urls.slice(0, 10))
    secondsPast805(3600)
    await put(user, urls[12]!)
    await sweep()
    expect(sent.at(-1)!.to).toBe(urls[12])
  })

  it('is sent twenty times in an hour to one host, whoever names it, on whichever port; the rest comes later', async () => {
    const users = Array.from({ length: 23 }, () => newUser())
    for (const [nth, user] of users.entries()) {
      await put(user, 'https://victim.example.org/')
      // As OUTBOUND_ALLOW lets users name ports; a dot at the end is the same host.
      const url = `https://victim.example.org${nth % 2 ? '.' : ''}:${4000 + nth}/`
      await sql`update notification_preferences set webhook_url = ${url} where user_id = ${user.id}`
    }
    await sweep()
    await sweep()
    expect(sent).toHaveLength(20)
    await sweepPast805(3600)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(23)
  })

  it('asks an address that is not confirmed, and tells nobody else of it', async () => {
    const user = newUser()
    const address = await account(user)
    await sql`update users set email_confirmed_at = null where id = ${user.id}`
    const now = deps.clock.now()
    const asked = askToConfirm({ userId: user.id, channel: 'email' }, { now, newId: deps.ids.uuid })
    const origin = systemOrigin('test', { userId: user.id, now, madeBy: 'job/test' })
    await deps.changes.commit(toChange(deps, origin, { ...asked, facts: [] }))
    await sweep()
    await sweep()
    expect(sent).toMatchObject([{ channel: 'email', to: address }])
    expect(await mails(user)).toEqual([['delivered', 1]])
    expect([await told(user), await inbox(user)]).toEqual([[], []])
  })
})
