import { expect, it } from 'vitest'
import type { Change } from '../../app/ports.ts'
import { changedDelivery, type Delivery } from '../../domain/notifications/notification.ts'
import { DEFAULT_PREFERENCES } from '../../domain/notifications/notification-preferences.ts'
import { systemIds } from '../../kit/system.ts'
import { aDelivery, aNotification } from '../../../testing/builders/a-notification.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../changes/change-store.ts'
import { createDeliveryQueue } from './delivery-queue.ts'

const sql = await testDatabase()
const changes = createChangeStore(sql)
const now = new Date('2026-03-02T07:00:00Z')

/** A mail that quiet hours hold back. */
async function aHeldMail(): Promise<Delivery> {
  const notification = aNotification({ type: 'notice', taskId: null })
  const of = { userId: notification.userId, notificationId: notification.id }
  const delivery = aDelivery({ ...of, state: 'held', nextAttemptAt: now, reason: 'quiet hours' })
  await commit(of.userId, { newNotifications: [{ notification, fact: null }], newDeliveries: [delivery] })
  return delivery
}

const commit = async (userId: string, change: Partial<Change>) => {
  const nothing = { at: now, activeDelta: 0, completedDelta: 0, events: [] }
  return (await changes.commit({ ...nothing, userId, ...change })).outcome
}

const TOLD = { state: 'delivered', attempts: 1, nextAttemptAt: null } as const

it.each<[string, Partial<Delivery>, Partial<Delivery>]>([
  ['released as itself', { state: 'triggered' }, { ...TOLD, digestId: systemIds.uuid() }],
  ['cancelled during quiet hours', { state: 'cancelled', nextAttemptAt: null }, TOLD],
  [
    'put off by longer quiet hours',
    { nextAttemptAt: new Date('2026-03-02T09:00:00Z') },
    { state: 'triggered' },
  ],
])('what was %s is not told by a slower worker', async (_, first, second) => {
  const mail = await aHeldMail()
  expect(await commit(mail.userId, { changedDeliveries: [changedDelivery(mail, first)] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [changedDelivery(mail, second)] })).toBe('conflict')
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
