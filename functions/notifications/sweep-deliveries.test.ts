import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitResult } from '../../shared/app/ports.ts'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import { releaseHeld } from '../../shared/app/notifications/release-held.ts'
import { aChange } from '../../testing/builders/a-task.ts'
import { sendDailyDigests } from '../../shared/app/notifications/send-daily-digests.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import { notificationService } from '../../testing/worlds/notification-service.ts'

const service = await notificationService()
const { newUser, remind, reminded, tick, tickAt, at, deps, app, sent, deadLetters, answerWith, sql } = service
const { account, device, prefer, request, bring, messages, sweep, sweepAt, entries, told, inbox } = service

const QUIET = { quiet_hours: { start: '08:00', end: '09:30' } }
const states = async (user: Client) =>
  (await entries(user)).map(({ title, channel, state }) => `${title}: ${channel} ${state}`)
const killed = async (): Promise<CommitResult> => Promise.reject(new Error('killed'))
const dying = { ...deps, changes: { ...deps.changes, commit: killed } }

// What is due is asked of all users together.
beforeEach(async () => {
  await sql`truncate deliveries, notifications, notification_preferences, reminders`
  await sql`update user_counters set open_reminders = 0, kept_notifications = 0`
})

/** Reminders at five past eight of these tasks, held back by quiet hours until half past nine. */
async function held(user: Client, ...titles: string[]): Promise<TaskView[]> {
  await account(user)
  await prefer(user, QUIET)
  const tasks: TaskView[] = []
  for (const title of titles) tasks.push((await reminded(user, { title })).task)
  await tickAt('08:05:00')
  await sweep()
  return tasks
}

describe('quiet hours', () => {
  it('hold every channel back, the app as well', async () => {
    const user = newUser()
    await held(user, 'Call the bank')
    expect(await states(user)).toEqual(['Call the bank: in_app held', 'Call the bank: email held'])
    expect([await inbox(user), sent]).toEqual([[], []])
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-02T09:30:00Z'))
    await sweepAt('09:29:59.999')
    expect([await inbox(user), sent]).toEqual([[], []])
  })

  it('let through what is about a task of high priority', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, QUIET)
    await reminded(user, { title: 'Catch the train', priority: 'high' })
    await tickAt('08:05:00')
    await sweep()
    expect(await inbox(user)).toEqual(['Catch the train'])
    expect(sent).toHaveLength(1)
  })

  it('are followed by the one notification that they held back, as itself', async () => {
    const user = newUser()
    await held(user, 'Call the bank')
    const before = (await entries(user)).map(({ id }) => id)
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual(['Call the bank'])
    expect((await entries(user)).map(({ id }) => id)).toEqual(before)
    expect(sent).toMatchObject([{ id: before[1], title: 'Call the bank' }])
    expect(await entries(user)).toMatchObject([
      { state: 'delivered', attempts: 1, reason: null },
      { state: 'delivered', attempts: 1, reason: null },
    ])
    expect(await told(user)).toEqual([
      'reminder.triggered',
      'notification.sent',
      'notification.sent',
      'reminder.sent',
    ])
  })

  it('are followed by one digest of all that they held back, whose fate the ledger shows for each', async () => {
    const user = newUser()
    await held(user, 'Call the bank', 'Buy milk', 'Pay rent')
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual(['During quiet hours: 3 notifications'])
    expect(sent).toMatchObject([
      { title: 'During quiet hours: 3 notifications', body: '• Call the bank\n• Buy milk\n• Pay rent' },
    ])
    const own = (await entries(user)).filter(({ title }) => !title.startsWith('During quiet hours'))
    expect(own).toHaveLength(6)
    for (const entry of own) expect(entry).toMatchObject({ state: 'delivered', attempts: 1, reason: null })
    expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(3)
    await sweep()
    expect(sent).toHaveLength(1)
  })

  it('end in a digest that fails for each when it fails', async () => {
    const user = newUser()
    await held(user, 'Call the bank', 'Buy milk')
    at('2026-03-02T09:30:00Z')
    answerWith(() => ({ outcome: 'refused', reason: 'no such mailbox' }))
    await sweep()
    const mails = (await entries(user)).filter(({ channel }) => channel === 'email')
    expect(mails).toHaveLength(3)
    for (const mail of mails) expect(mail).toMatchObject({ state: 'failed', reason: 'no such mailbox' })
    expect(deadLetters).toMatchObject([
      { type: 'notification.requested', data: { notification: { type: 'quiet_digest' } } },
    ])
    expect((await told(user)).slice(-2)).toEqual(['reminder.sent', 'reminder.sent'])
  })

  it('tell by the digest also what was held back on a channel that digests do not use', async () => {
    const user = newUser()
    await account(user)
    const channels = { reminder: ['email'], quiet_digest: ['in_app'] }
    await prefer(user, { ...QUIET, channels })
    await reminded(user, { title: 'Call the bank' })
    await reminded(user, { title: 'Buy milk' })
    await tickAt('08:05:00')
    await sweepAt('09:30:00')
    expect(await inbox(user)).toHaveLength(1)
    expect(sent).toEqual([])
    expect((await states(user)).slice(0, 2)).toEqual([
      'Call the bank: email delivered',
      'Buy milk: email delivered',
    ])
  })

  it('cancel what has been dealt with meanwhile', async () => {
    const user = newUser()
    const [bank, milk] = await held(user, 'Call the bank', 'Buy milk', 'Pay rent')
    await user.does('POST', `/api/tasks/${bank!.id}/complete`)
    await user.does('DELETE', `/api/tasks/${milk!.id}`)
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual(['Pay rent'])
    expect((await entries(user)).slice(0, 4)).toMatchObject(
      Array.from({ length: 4 }, () => ({
        state: 'cancelled',
        reason: 'the task was closed, or its reminder acknowledged or changed, while it was held',
      })),
    )
  })

  it('cancel what is told again later anyway, because it was put off or its task moved', async () => {
    const user = newUser()
    await prefer(user, QUIET)
    const day = await user.create({ title: 'Call the bank', due_at: '2026-03-02T09:00:00Z' })
    const moved = await remind(user, day, { offsetMinutes: 55 })
    const { reminder: snoozed } = await reminded(user, { title: 'Buy milk' })
    await tickAt('08:05:00')
    expect(await states(user)).toEqual(
      expect.arrayContaining(['Call the bank: in_app held', 'Buy milk: in_app held']),
    )
    await user.does('PATCH', `/api/tasks/${day.id}`, { due_at: '2026-03-02T11:00:00Z' })
    const until = new Date('2026-03-02T10:30:00Z')
    const edits = {
      version: 3,
      firedAt: new Date('2026-03-02T08:05:00Z'),
      fireAt: until,
      snoozedUntil: until,
    }
    await deps.changes.commit(aChange(user.id, { changedReminders: [{ ...snoozed, ...edits }] }))
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual([])
    await tickAt('10:05:00')
    expect(await inbox(user)).toEqual(['Call the bank'])
    expect((await service.ledger(moved.id)).map(({ state }) => state)).toEqual(['cancelled', 'delivered'])
  })

  it('end in nothing when nothing is left to tell', async () => {
    const user = newUser()
    const [task] = await held(user, 'Call the bank')
    await user.does('POST', `/api/tasks/${task!.id}/complete`)
    await sweepAt('09:30:00')
    expect([await inbox(user), sent]).toEqual([[], []])
    expect(await deps.deliveries.nextDueAt()).toBe(null)
  })

  it('end in time although a delivery takes long, and the digest of the day comes as well', async () => {
    const stuck = newUser()
    const address = await account(stuck)
    const [user, early] = [newUser(), newUser()]
    await held(user, 'Call the bank')
    await prefer(early, { daily_digest: { at: '09:30' } })
    await early.create({ title: 'Pay rent', due_date: '2026-03-02' })
    const never = Promise.withResolvers<{ outcome: 'delivered' }>()
    answerWith(({ to }) => (to === address ? never.promise : { outcome: 'delivered' }))
    at('2026-03-02T08:05:00Z')
    await reminded(stuck, { title: 'Buy milk' })
    await tick()
    const sweeping = sweep()
    await expect.poll(() => sent.length).toBe(1)
    at('2026-03-02T09:30:00Z')
    try {
      await expect.poll(() => inbox(user), { timeout: 5000 }).toEqual(['Call the bank'])
      await expect.poll(() => inbox(early), { timeout: 5000 }).toEqual(['One task for today'])
      await expect.poll(() => sent.map(({ title }) => title)).toContain('Call the bank')
    } finally {
      never.resolve({ outcome: 'delivered' })
      await sweeping
    }
  })

  it('end for everybody although what was held back for somebody cannot be released', async () => {
    const [user, other] = [newUser(), newUser()]
    await held(user, 'Call the bank')
    at('2026-03-02T08:00:00Z')
    await held(other, 'Buy milk')
    at('2026-03-02T09:30:00Z')
    const commit: typeof deps.changes.commit = (change) =>
      change.userId === user.id ? killed() : deps.changes.commit(change)
    expect(
      await releaseHeld({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-deliveries'),
    ).toBe(2)
    expect([await inbox(user), await inbox(other)]).toEqual([[], ['Buy milk']])
  })

  it('are not looked at while the one who released a part of what they held back may be alive', async () => {
    const user = newUser()
    await held(user, 'Call the bank', 'Buy milk', 'Pay rent')
    at('2026-03-02T09:30:00Z')
    const claim = { now: deps.clock.now(), leaseUntil: new Date('2026-03-02T09:30:30Z'), limit: 1 }
    expect(await deps.deliveries.claimHeld(claim)).not.toBe(null)
    expect(await deps.deliveries.claimHeld(claim)).toBe(null)
    expect(await deps.deliveries.nextDueAt()).toEqual(claim.leaseUntil)
  })

  it('end for others while somebody has more than one digest can carry: a user takes one lane, and others the rest', async () => {
    const [crowd, other] = [newUser(), newUser()]
    await held(crowd, 'Call the bank')
    await held(other, 'Call the doctor')
    await sql`
      with more as (
        insert into notifications (id, user_id, source, type, title, body, late, created_at)
        select gen_random_uuid(), ${crowd.id}, n::text, 'notice', 't', 'b', false, now() from generate_series(1, 1200) n
        returning *),
      counted as (update user_counters set kept_notifications = kept_notifications + 1200 where user_id = ${crowd.id})
      insert into deliveries (id, user_id, notification_id, fire_at, channel, target, state, attempts, next_attempt_at,
        triggered_at, late, version)
      select gen_random_uuid(), user_id, id, now(), 'email', gen_random_uuid(), 'held', 0,
        timestamptz '2026-03-02T09:29:00Z', now(), false, 1 from more`
    at('2026-03-02T09:30:00Z')
    const order: string[] = []
    const commit: typeof deps.changes.commit = (change) => {
      order.push(change.userId)
      return deps.changes.commit(change)
    }
    await releaseHeld({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-deliveries')
    expect(order.filter((id) => id === crowd.id).length).toBeGreaterThan(2)
    expect([0, 1]).toContain(order.indexOf(other.id))
  })

  it('end once, however many workers release what they held back', async () => {
    const users = Array.from({ length: 6 }, () => newUser())
    for (const user of users) {
      at('2026-03-02T08:00:00Z')
      await held(user, 'Call the bank', 'Buy milk')
    }
    at('2026-03-02T09:30:00Z')
    await Promise.all([
      sweep(),
      ...Array.from({ length: 6 }, () => releaseHeld(deps, 'cron/sweep-deliveries')),
      deliverDue(deps, 'cron/sweep-deliveries'),
    ])
    await sweep()
    expect(sent).toHaveLength(6)
    for (const user of users) {
      expect(await inbox(user)).toEqual(['During quiet hours: 2 notifications'])
      expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(2)
    }
  })

  it('lose nothing and tell nothing twice when the worker dies while it releases or while it sends', async () => {
    const user = newUser()
    await held(user, 'Call the bank', 'Buy milk')
    at('2026-03-02T09:30:00Z')
    await releaseHeld(dying, 'cron/sweep-deliveries')
    await sweep()
    expect(await inbox(user)).toEqual([])
    at('2026-03-02T09:30:31Z')
    await releaseHeld(deps, 'cron/sweep-deliveries')
    expect(await inbox(user)).toHaveLength(1)
    await deliverDue(dying, 'cron/sweep-deliveries')
    await sweepAt('09:31:32')
    expect(sent).toHaveLength(2)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(await inbox(user)).toHaveLength(1)
    expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(2)
  })

  it.each([['Call the bank'], ['Call the bank', 'Buy milk']])(
    'end once also when a worker is so slow that another takes its place (%s)',
    async (...titles) => {
      const user = newUser()
      await held(user, ...titles)
      at('2026-03-02T09:30:00Z')
      let isOvertaken = false
      const commit: typeof deps.changes.commit = async (change) => {
        if (!isOvertaken) {
          isOvertaken = true
          at('2026-03-02T09:31:00Z')
          await releaseHeld(deps, 'cron/sweep-deliveries')
        }
        return deps.changes.commit(change)
      }
      await releaseHeld({ ...deps, changes: { ...deps.changes, commit } }, 'cron/sweep-deliveries')
      await sweep()
      expect(await inbox(user)).toHaveLength(1)
      expect(sent).toHaveLength(1)
      expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(titles.length)
    },
  )

  it('go on by the hours that are set now, and end when there are none any more', async () => {
    const user = newUser()
    await held(user, 'Call the bank')
    await prefer(user, { quiet_hours: { start: '08:00', end: '12:00' } })
    await sweep()
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual([])
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-02T12:00:00Z'))
    await prefer(user, { quiet_hours: null })
    await sweep()
    expect(await inbox(user)).toEqual(['Call the bank'])
  })

  it('hold notices and digests of the day as well', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { ...QUIET, daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    await bring('notification-events', await request(user, 'Your export is ready'))
    await sweepAt('08:30:00')
    expect([await inbox(user), sent]).toEqual([[], []])
    await sweepAt('09:30:00')
    expect(await inbox(user)).toEqual(['During quiet hours: 2 notifications'])
  })
})

describe('the digest of the day', () => {
  it('lists what is overdue and what is due today, the most important first', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { daily_digest: { at: '08:30' } })
    const tasks = [
      { title: 'Water plants', due_date: '2026-03-02', priority: 'low' },
      { title: 'Tomorrow', due_date: '2026-03-03', priority: 'high' },
      { title: 'Pay rent', due_at: '2026-03-01T10:00:00Z', priority: 'high' },
      { title: 'Some day' },
      { title: 'Call the bank', due_at: '2026-03-02T23:59:00Z', priority: 'medium' },
    ]
    for (const task of tasks) await user.create(task)
    const { id } = await user.create({ title: 'Done', due_date: '2026-03-02' })
    await user.does('POST', `/api/tasks/${id}/complete`)
    await sweepAt('08:29:59')
    expect(await inbox(user)).toEqual([])
    await sweepAt('08:30:00')
    expect(await inbox(user)).toEqual(['3 tasks for today'])
    expect(sent).toMatchObject([{ channel: 'email', title: '3 tasks for today' }])
    expect(sent[0]!.body.split('\n').map((line) => line.split(' (')[0])).toEqual([
      '• Pay rent',
      '• Call the bank',
      '• Water plants',
    ])
  })

  it('comes once a day, however many workers make it and wherever one dies', async () => {
    const user = newUser()
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    at('2026-03-02T08:30:00Z')
    await sendDailyDigests(dying, 'cron/sweep-deliveries')
    at('2026-03-02T08:30:31Z')
    await Promise.all([
      sweep(),
      ...Array.from({ length: 5 }, () => sendDailyDigests(deps, 'cron/sweep-deliveries')),
    ])
    await sweep()
    expect(await inbox(user)).toEqual(['One task for today'])
    at('2026-03-03T08:30:00Z')
    await sweep()
    expect(await inbox(user)).toHaveLength(2)
  })

  it('is left out on a day without tasks, and comes the next day', async () => {
    const user = newUser()
    await prefer(user, { daily_digest: { at: '08:30' } })
    await sweepAt('08:30:00')
    expect(await inbox(user)).toEqual([])
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-03T08:30:00Z'))
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    at('2026-03-03T08:30:00Z')
    await sweep()
    expect(await inbox(user)).toHaveLength(1)
  })

  it('comes late rather than never, and only the last one of those that were missed', async () => {
    const user = newUser()
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    at('2026-03-05T11:00:00Z')
    await sweep()
    const rows = await sql`select source, late from notifications where user_id = ${user.id}`
    expect(rows).toEqual([{ source: 'digest/2026-03-05', late: true }])
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-06T08:30:00Z'))
  })

  it('comes no second time on a day on which it is moved to a later hour', async () => {
    const user = newUser()
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    await sweepAt('08:30:00')
    await prefer(user, { daily_digest: { at: '10:00' } })
    await sweepAt('10:00:00')
    expect(await inbox(user)).toHaveLength(1)
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-03T10:00:00Z'))
  })

  it('is not put off by changing other preferences when it is due', async () => {
    const user = newUser()
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    at('2026-03-02T08:30:01Z')
    await prefer(user, { daily_digest: { at: '08:30' }, quiet_hours: { start: '22:00', end: '06:00' } })
    await sweep()
    expect(await inbox(user)).toHaveLength(1)
  })

  it('comes at the hour of the zone, also after its clocks have changed', async () => {
    const user = newUser()
    await account(user, { timeZone: 'Europe/Berlin' })
    at('2026-03-28T06:00:00Z')
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-28' })
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-28T07:30:00Z'))
    at('2026-03-28T07:30:00Z')
    await sweep()
    expect(await deps.deliveries.nextDueAt()).toEqual(new Date('2026-03-29T06:30:00Z'))
  })

  it('has an event of its own, by which it is sent when the sweep does not come to it', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { daily_digest: { at: '08:30' } })
    await user.create({ title: 'Pay rent', due_date: '2026-03-02' })
    at('2026-03-02T08:30:00Z')
    await sendDailyDigests(deps, 'cron/sweep-deliveries')
    const [message] = await messages(user, 'notification.requested')
    await Promise.all([bring('notification-events', message!), bring('notification-events', message!)])
    expect(sent).toHaveLength(1)
    expect(await inbox(user)).toHaveLength(1)
  })
})

describe('sweep-deliveries', () => {
  it('is for the sidecar only', async () => {
    const user = newUser()
    await device(user)
    await reminded(user)
    await tickAt('08:05:00')
    for (const headers of [{}, { 'dapr-api-token': 'guessed' }]) {
      const answer = await app.request('/dapr/cron/sweep-deliveries-cron', { method: 'POST', headers })
      expect(answer.status).toBe(401)
    }
    expect(sent).toEqual([])
  })

  it('finds nothing to wait for when nothing is due', async () => {
    await sweep()
    expect(await deps.deliveries.nextDueAt()).toBe(null)
  })
})

describe('one user with many mails that nobody takes', () => {
  beforeEach(() => void Object.assign(deps.settings, { maxMailsPerHour: 0 }))
  afterEach(() => void Object.assign(deps.settings, { maxMailsPerHour: 30 }))

  it('keeps no other waiting', async () => {
    const [crowd, other] = [newUser(), newUser()]
    const address = await account(crowd)
    await account(other)
    for (let n = 0; n < 251; n += 1) await reminded(crowd)
    await tickAt('08:05:00')
    await reminded(other, { title: 'Call the doctor' }, { remindAt: new Date('2026-03-02T08:05:01Z') })
    await tickAt('08:05:01')
    const gate = Promise.withResolvers<void>()
    answerWith(async ({ to }) => {
      if (to === address) await gate.promise
      return { outcome: 'delivered' }
    })
    const sweeping = sweep()
    await expect.poll(() => sent.map(({ title }) => title)).toContain('Call the doctor')
    expect(sent.filter(({ to }) => to === address)).toHaveLength(4)
    gate.resolve()
    await sweeping
    expect(sent).toHaveLength(252)
  })
})

describe('mails beyond the limit of an hour', () => {
  const MAX = 3
  beforeEach(() => void Object.assign(deps.settings, { maxMailsPerHour: MAX }))
  afterEach(() => void Object.assign(deps.settings, { maxMailsPerHour: 30 }))
  const mails = () => sent.filter(({ channel }) => channel === 'email').map(({ title }) => title)

  /** So many reminders of a user at five past eight, told. */
  async function many(user: Client, count: number) {
    for (let nth = 0; nth < count; nth += 1) await reminded(user, { title: `Task ${nth}` })
    await tickAt('08:05:00')
    await Promise.all([sweep(), sweep()])
    await sweep()
  }

  it('come in one digest when the hour is over, while the app shows each at once', async () => {
    const [user, other] = [newUser(), newUser()]
    await account(user)
    await account(other)
    await reminded(other, { title: 'Of another' })
    await many(user, 9)
    expect(mails().filter((title) => title !== 'Of another')).toHaveLength(MAX)
    expect(mails()).toContain('Of another')
    expect(await inbox(user)).toHaveLength(9)
    const held = (await entries(user)).filter(({ state }) => state === 'held')
    expect(held).toHaveLength(9 - MAX)
    expect(new Set(held.map(({ channel, reason }) => `${channel}: ${reason}`))).toEqual(
      new Set(['email: too many mails within an hour']),
    )
    await sweepAt('09:04:59')
    expect(mails()).toHaveLength(MAX + 1)
    at('2026-03-02T09:05:00Z')
    await Promise.all([sweep(), sweep()])
    expect(mails().slice(MAX + 1)).toEqual(['6 more notifications within the hour'])
    expect(sent.at(-1)!.body.split('\n')).toHaveLength(6)
    expect(await inbox(user)).toHaveLength(9)
    const ends = (await entries(user)).filter(({ channel }) => channel === 'email').map(({ state }) => state)
    expect(new Set(ends)).toEqual(new Set(['delivered']))
    expect((await told(user)).filter((type) => type === 'reminder.sent')).toHaveLength(9)
  })

  it('are not set free by changing preferences, and wait for the end of quiet hours', async () => {
    const user = newUser()
    await account(user)
    await many(user, 5)
    await prefer(user, { quiet_hours: { start: '09:00', end: '10:00' } })
    await sweep()
    expect(mails()).toHaveLength(MAX)
    await sweepAt('09:30:00')
    expect(mails()).toHaveLength(MAX)
    await sweepAt('10:00:00')
    expect(mails().at(-1)).toBe('2 more notifications within the hour')
  })

  it('are cancelled for who wants no digest by mail', async () => {
    const user = newUser()
    await account(user)
    await prefer(user, { channels: { quiet_digest: ['in_app'] } })
    await many(user, 5)
    await sweepAt('09:05:00')
    expect(mails()).toHaveLength(MAX)
    const states = (await entries(user))
      .filter(({ channel }) => channel === 'email')
      .map(({ state }) => state)
    expect(states.toSorted()).toEqual(['cancelled', 'cancelled', 'delivered', 'delivered', 'delivered'])
  })

  it('do not count what is tried again, or could not be tried', async () => {
    const user = newUser()
    await account(user)
    answerWith(() => ({ outcome: 'unreachable', reason: 'the sidecar is unreachable' }))
    await many(user, MAX)
    answerWith(() => ({ outcome: 'failed', reason: 'the mail service answered 500' }))
    await sweepAt('08:06:00')
    answerWith(() => ({ outcome: 'delivered' }))
    await sweepAt('08:07:00')
    const states = (await entries(user))
      .filter(({ channel }) => channel === 'email')
      .map(({ state }) => state)
    expect(states).toEqual(Array<string>(MAX).fill('delivered'))
  })
})
