import { expect, it } from 'vitest'
import type { Change } from '../app/ports.ts'
import { NO_TARGET, type Delivery, type Notification } from '../domain/notification.ts'
import { systemIds } from '../kit/system.ts'
import { testDatabase } from '../testing/database.ts'
import { createChangeStore } from './change-store.ts'

const sql = await testDatabase()
const changes = createChangeStore(sql)
const now = new Date('2026-03-02T07:00:00Z')

/** A mail that quiet hours hold back. */
async function aHeldMail(): Promise<Delivery> {
  const [userId, id] = [systemIds.uuid(), systemIds.uuid()]
  const notification: Notification = {
    ...{ id, userId, source: `test/${id}`, type: 'notice', taskId: null, reminderId: null },
    ...{ title: 'Pay rent', body: '', late: false, createdAt: now, readAt: null },
  }
  const delivery: Delivery = {
    ...{ id: systemIds.uuid(), userId, notificationId: id, reminderId: null, fireAt: now, channel: 'email' },
    ...{ target: NO_TARGET, state: 'held', attempts: 0, nextAttemptAt: now, triggeredAt: now },
    ...{ deliveredAt: null, late: false, reason: null, digestId: null },
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
  const itself: Delivery = { ...mail, state: 'triggered' }
  const inDigest: Delivery = { ...mail, state: 'delivered', attempts: 1, digestId: systemIds.uuid() }

  expect(await commit(mail.userId, { changedDeliveries: [itself] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [inDigest] })).toBe('conflict')
})

it('what was cancelled during quiet hours is not told by a slower worker', async () => {
  const mail = await aHeldMail()
  const cancelled: Delivery = { ...mail, state: 'cancelled', nextAttemptAt: null }
  const told: Delivery = { ...mail, state: 'delivered', attempts: 1, nextAttemptAt: null }

  expect(await commit(mail.userId, { changedDeliveries: [cancelled] })).toBe('applied')
  expect(await commit(mail.userId, { changedDeliveries: [told] })).toBe('conflict')
})
