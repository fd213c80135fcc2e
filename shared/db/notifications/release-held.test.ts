import { expect, it } from 'vitest'
import type { Change } from '../../app/ports.ts'
import {
  changedDelivery,
  NO_TARGET,
  type Delivery,
  type Notification,
} from '../../domain/notifications/notification.ts'
import { DEFAULT_PREFERENCES } from '../../domain/notifications/notification-preferences.ts'
import { systemIds } from '../../kit/system.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../change-store.ts'
import { createDeliveryQueue } from './delivery-queue.ts'

const sql = await testDatabase()
const changes = createChangeStore(sql)
const now = new Date('2026-03-02T07:00:00Z')

/** A mail that quiet hours hold back. */
async function aHeldMail(): Promise<Delivery> {
  const [userId, id] = [systemIds.uuid(), systemIds.uuid()]
  const notification: Notification = {
    id,
    userId,
    source: `test/${id}`,
    type: 'notice',
    taskId: null,
    reminderId: null,
    title: 'Pay rent',
    body: '',
    late: false,
    createdAt: now,
    readAt: null,
  }
  const delivery: Delivery = {
    id: systemIds.uuid(),
    userId,
    notificationId: id,
    reminderId: null,
    fireAt: now,
    channel: 'email',
    target: NO_TARGET,
    state: 'held',
    attempts: 0,
    nextAttemptAt: now,
    triggeredAt: now,
    deliveredAt: null,
    late: false,
    reason: 'quiet hours',
    digestId: null,
    taskId: null,
    version: 1,
  }
  await commit(userId, { newNotifications: [{ notification, fact: null }], newDeliveries: [delivery] })
  return delivery
}

const commit = async (userId: string, change: Partial<Change>) => {
  const nothing = { at: now, activeDelta: 0, completedDelta: 0, events: [] }
  return (await changes.commit({ ...nothing, userId, ...change })).outcome
}

it('what was released as itself does not go into the digest of a slower worker', async () => {
  const mail = await aHeldMail()
  const itself = changedDelivery(mail, { state: 'triggered' })
  const digestId = systemIds.uuid()
  const inDigest = changedDelivery(mail, { state: 'delivered', attempts: 1, digestId })

  expect(await commit(mail.userId, { changedDeliveries: [itself] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [inDigest] })).toBe('conflict')
})

it('what was cancelled during quiet hours is not told by a slower worker', async () => {
  const mail = await aHeldMail()
  const cancelled = changedDelivery(mail, { state: 'cancelled', nextAttemptAt: null })
  const told = changedDelivery(mail, { state: 'delivered', attempts: 1, nextAttemptAt: null })

  expect(await commit(mail.userId, { changedDeliveries: [cancelled] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [told] })).toBe('conflict')
})

it('what must wait on, because the quiet hours are longer now, is not told by a slower worker', async () => {
  const mail = await aHeldMail()
  const putOff = changedDelivery(mail, { nextAttemptAt: new Date('2026-03-02T09:00:00Z') })
  const told = changedDelivery(mail, { state: 'triggered' })

  expect(await commit(mail.userId, { changedDeliveries: [putOff] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [told] })).toBe('conflict')
})

it('what was decided before the user changed the quiet hours is decided again, at once', async () => {
  const mail = await aHeldMail()
  const deliveries = createDeliveryQueue(sql)
  const claim = () => deliveries.claimHeld({ now, leaseUntil: new Date(now.getTime() + 30_000), limit: 500 })
  const [held] = (await claim())!.held
  const preferences = { ...DEFAULT_PREFERENCES, version: 1 }
  expect(await commit(mail.userId, { preferences: { preferences, nextDigestAt: null } })).toBe('applied')

  expect(
    await commit(mail.userId, { changedDeliveries: [changedDelivery(mail, { state: 'triggered' })] }),
  ).toBe('conflict')
  const again = (await claim())!.held.find(({ delivery }) => delivery.id === held!.delivery.id)
  expect(again!.delivery).toMatchObject({ state: 'held', version: 2, nextAttemptAt: now })
})

it('a change of quiet hours looks again at a thousand that are held back, the first to be told, and at no more', async () => {
  const { userId, notificationId } = await aHeldMail()
  const until = new Date('2026-03-02T20:00:00Z')
  await sql`insert into deliveries (id, user_id, notification_id, fire_at, channel, target, state, attempts,
      next_attempt_at, triggered_at, late, reason, version)
    select gen_random_uuid(), ${userId}, ${notificationId}, ${now}, 'webhook', gen_random_uuid(), 'held', 0, ${until},
      ${now}, false, 'quiet hours', 1 from generate_series(1, 1500)`
  const preferences = { ...DEFAULT_PREFERENCES, version: 1 }
  expect(await commit(userId, { preferences: { preferences, nextDigestAt: null } })).toBe('applied')
  const [row] = await sql<{ again: number; later: number }[]>`
    select count(*) filter (where version = 2 and next_attempt_at = ${now})::int as again,
      count(*) filter (where version = 1)::int as later
    from deliveries where user_id = ${userId} and state = 'held'`
  expect(row).toEqual({ again: 1000, later: 501 })
})
