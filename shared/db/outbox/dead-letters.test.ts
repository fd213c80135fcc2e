import { describe, expect, it } from 'vitest'
import type { DeadLetter } from '../../app/outbox/ports.ts'
import {
  changedDelivery,
  NO_TARGET,
  type Delivery,
  type Notification,
} from '../../domain/notifications/notification.ts'
import { systemIds } from '../../kit/system.ts'
import { aChange, anEvent, NOON } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../changes/change-store.ts'
import { createDeadLetters } from './dead-letters.ts'

const sql = await testDatabase()
const letters = createDeadLetters(sql)
const changes = createChangeStore(sql)
const uuid = () => systemIds.uuid()
const later = (ms: number) => new Date(NOON.getTime() + ms)
const LATER = later(1000)

type Kept = Parameters<typeof letters.keep>[0]

const aLetter = (over: Partial<Kept> = {}): Kept => ({
  id: uuid(),
  eventId: uuid(),
  consumer: 'make-things',
  type: 'task.updated',
  userId: null,
  reason: 'no',
  letter: { said: 'ü', deep: [null, 1.5] },
  receivedAt: NOON,
  ...over,
})

/** An event that is published, and the letter of a consumer that gave up on it. */
async function givenUp(data: object = {}, userId = uuid()): Promise<Kept & { userId: string }> {
  const event = anEvent({ data })
  await changes.commit(aChange(userId, { events: [event] }))
  await sql`delete from outbox where user_id = ${userId}`
  const letter = { ...aLetter({ eventId: event.id }), userId }
  await letters.keep(letter)
  return letter
}

const waiting = async (userId: string) => [
  ...(await sql<{ seq: number; time: Date }[]>`select seq, time from outbox where user_id = ${userId}`),
]
const stateOf = async (id: string) => (await letters.get(id))?.state
const times = async (count: number, work: () => Promise<string | boolean>) =>
  (await Promise.all(Array.from({ length: count }, work))).map(String).toSorted()

function aNotification(userId: string, over: Partial<Notification> = {}): Notification {
  const id = uuid()
  return {
    id,
    userId,
    source: `test/${id}`,
    type: 'reminder',
    taskId: null,
    reminderId: null,
    title: 'Pay rent',
    body: '',
    late: false,
    createdAt: NOON,
    readAt: null,
    ...over,
  }
}

const aDelivery = ({ id, userId }: Notification, over: Partial<Delivery> = {}): Delivery => ({
  id: uuid(),
  userId,
  notificationId: id,
  reminderId: null,
  fireAt: NOON,
  channel: 'email',
  target: NO_TARGET,
  state: 'failed',
  attempts: 5,
  nextAttemptAt: null,
  triggeredAt: NOON,
  deliveredAt: null,
  late: false,
  reason: 'mailbox full',
  digestId: null,
  taskId: null,
  version: 1,
  ...over,
})

async function write(userId: string, notifications: Notification[], deliveries: Delivery[]): Promise<void> {
  const newNotifications = notifications.map((notification) => ({ notification, fact: null }))
  const change = aChange(userId, { events: [], newNotifications, newDeliveries: deliveries })
  expect(await changes.commit(change)).toMatchObject({ outcome: 'applied' })
}

const rowOf = async ({ id }: Delivery) =>
  (
    await sql`select state, attempts, next_attempt_at, triggered_at, reason, lease_until from deliveries where id = ${id}`
  )[0]

describe('a dead letter', () => {
  it('keeps a thousand open letters of one user, says which it does not keep, and goes on when some are settled', async () => {
    const userId = uuid()
    await sql`
      insert into dead_letters (id, event_id, consumer, type, user_id, reason, letter, state, times, received_at)
      select gen_random_uuid(), n::text, 'make-things', 't', ${userId}, 'no', '{}', 'open', 1, ${NOON}
      from generate_series(1, 999) n`
    const [last, tooMany] = [aLetter({ userId }), aLetter({ userId })]
    expect([await letters.keep(last), await letters.keep(tooMany)]).toEqual([true, false])
    expect([await stateOf(last.id), await stateOf(tooMany.id)]).toEqual(['open', undefined])
    expect(await letters.keep(aLetter({ userId: uuid() }))).toBe(true)
    await letters.discard(last.id, LATER)
    expect(await letters.keep(tooMany)).toBe(true)
    await sql`delete from dead_letters where user_id = ${userId}`
  })

  it('is kept once, however often it is delivered, one after the other and at once', async () => {
    const letter = aLetter()
    await times(10, () => letters.keep({ ...letter, id: uuid() }))
    await letters.keep({ ...letter, id: uuid(), receivedAt: LATER })
    const kept = (await letters.list({ state: 'all', limit: 1000, after: null })).filter(
      ({ eventId }) => eventId === letter.eventId,
    )
    expect(kept).toEqual([{ ...letter, id: kept[0]?.id, state: 'open', times: 1, resolvedAt: null }])
  })

  it('is one per consumer that gave up', async () => {
    const [one, other] = [aLetter(), aLetter({ consumer: 'another' })]
    await letters.keep(one)
    await letters.keep({ ...other, eventId: one.eventId })
    expect([await stateOf(one.id), await stateOf(other.id)]).toEqual(['open', 'open'])
  })

  it.each(['replay', 'discard'] as const)('opens again when it comes after a %s, and counts', async (how) => {
    const letter = await givenUp()
    await letters[how](letter.id, LATER)
    const again = { ...letter, id: uuid(), reason: 'still no', receivedAt: later(2000) }
    await times(5, () => letters.keep(again))
    expect(await letters.get(letter.id)).toEqual({
      ...again,
      id: letter.id,
      state: 'open',
      times: 2,
      resolvedAt: null,
    })
  })

  it('is listed in the order in which they came, page by page', async () => {
    await sql`delete from dead_letters`
    const ids = Array.from({ length: 7 }, uuid)
    for (const [index, id] of ids.toReversed().entries()) {
      await letters.keep(aLetter({ id, receivedAt: later(index >> 1) }))
    }
    await letters.discard(ids[3]!, LATER)
    const pages = async (state: 'open' | 'all') => {
      const found: DeadLetter[] = []
      for (;;) {
        const page = await letters.list({ state, limit: 2, after: found.at(-1)?.id ?? null })
        found.push(...page)
        if (page.length < 2) return found
      }
    }
    const all = await pages('all')
    expect(all.map(({ receivedAt }) => receivedAt.getTime() - NOON.getTime())).toEqual([0, 0, 1, 1, 2, 2, 3])
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(ids))
    expect((await pages('open')).map(({ id }) => id)).toEqual(
      all.map(({ id }) => id).filter((id) => id !== ids[3]),
    )
  })

  it('is discarded once', async () => {
    const letter = await givenUp()
    expect(await times(5, () => letters.discard(letter.id, LATER))).toEqual([
      'discarded',
      'not_open',
      'not_open',
      'not_open',
      'not_open',
    ])
    expect(await letters.replay(letter.id, LATER)).toBe('not_open')
    expect(await waiting(letter.userId)).toEqual([])
    expect(await letters.get(letter.id)).toMatchObject({ state: 'discarded', resolvedAt: LATER })
  })

  it('that is not there can be neither shown nor settled', async () => {
    for (const id of [uuid(), 'nonsense', '', "'; --"]) {
      expect(await letters.get(id)).toBeNull()
      expect(await letters.replay(id, LATER)).toBe('unknown')
      expect(await letters.discard(id, LATER)).toBe('unknown')
    }
  })
})

describe('a replay', () => {
  it('publishes the event again, once, waiting from now on', async () => {
    const letter = await givenUp()
    expect(await times(5, () => letters.replay(letter.id, LATER))).toEqual([
      'not_open',
      'not_open',
      'not_open',
      'not_open',
      'replayed',
    ])
    expect(await waiting(letter.userId)).toEqual([{ seq: 1, time: LATER }])
    expect(await letters.get(letter.id)).toMatchObject({ state: 'replayed', resolvedAt: LATER })
  })

  it('takes an event that still waits for what it is', async () => {
    const [userId, event] = [uuid(), anEvent()]
    await changes.commit(aChange(userId, { events: [event] }))
    const letter = aLetter({ eventId: event.id })
    await letters.keep(letter)
    expect(await letters.replay(letter.id, LATER)).toBe('replayed')
    expect(await waiting(userId)).toEqual([{ seq: 1, time: NOON }])
  })

  it('settles the letters of all consumers that wait for the event, and not what is discarded', async () => {
    const letter = await givenUp()
    const [second, third] = ['second', 'third'].map((consumer) => ({ ...letter, id: uuid(), consumer }))
    await letters.keep(second!)
    await letters.keep(third!)
    await letters.discard(third!.id, NOON)
    expect(await times(2, () => letters.replay(second!.id, LATER))).toEqual(['not_open', 'replayed'])
    expect(await letters.replay(letter.id, LATER)).toBe('not_open')
    expect(await stateOf(third!.id)).toBe('discarded')
    expect(await waiting(letter.userId)).toHaveLength(1)
  })

  it.each([
    ['an event of another system', uuid()],
    ['what had no id', 'content-0123456789abcdef'],
  ])('of %s is refused and leaves it open', async (_, eventId) => {
    const letter = aLetter({ eventId })
    await letters.keep(letter)
    expect(await letters.replay(letter.id, LATER)).toBe('not_ours')
    expect(await stateOf(letter.id)).toBe('open')
  })

  it('gives what failed with the event a new plan, and touches nothing else', async () => {
    const userId = uuid()
    const notification = aNotification(userId)
    const other = aNotification(userId)
    const failed = [aDelivery(notification), aDelivery(notification, { channel: 'webhook', attempts: 1 })]
    const rest = [
      aDelivery(notification, { channel: 'in_app', state: 'delivered', attempts: 1, deliveredAt: NOON }),
      aDelivery(notification, { channel: 'web_push', state: 'cancelled', attempts: 1 }),
      aDelivery(other),
    ]
    await write(userId, [notification, other], [...failed, ...rest])
    const before = await Promise.all(rest.map(rowOf))
    const letter = await givenUp({ notification: { id: notification.id } }, userId)
    expect(await letters.replay(letter.id, LATER)).toBe('replayed')
    for (const delivery of failed) {
      expect(await rowOf(delivery)).toEqual({
        state: 'triggered',
        attempts: 0,
        next_attempt_at: LATER,
        triggered_at: LATER,
        reason: null,
        lease_until: null,
      })
    }
    expect(await Promise.all(rest.map(rowOf))).toEqual(before)
  })

  it('does the same for what a request led to, which only names the event', async () => {
    const letter = await givenUp({ title: 'A list was shared' })
    const notification = aNotification(letter.userId, { source: `event/${letter.eventId}`, type: 'notice' })
    const delivery = aDelivery(notification)
    await write(letter.userId, [notification], [delivery])
    await letters.replay(letter.id, LATER)
    expect(await rowOf(delivery)).toMatchObject({ state: 'triggered', attempts: 0 })
  })

  it('lets what a failed digest carried wait for it again, and nothing that another one carried', async () => {
    const userId = uuid()
    const [digest, otherDigest] = [aNotification(userId), aNotification(userId)]
    const held = aNotification(userId)
    const carried = aDelivery(held, { digestId: digest.id, attempts: 1 })
    const alien = aDelivery(held, { digestId: otherDigest.id, attempts: 1, channel: 'webhook' })
    const sender = aDelivery(digest)
    await write(userId, [digest, otherDigest, held], [carried, alien, sender])
    const letter = await givenUp({ notification: { id: digest.id } }, userId)
    await letters.replay(letter.id, LATER)
    expect(await rowOf(sender)).toMatchObject({ state: 'triggered' })
    expect(await rowOf(carried)).toMatchObject({ state: 'held', attempts: 1, next_attempt_at: null })
    expect(await rowOf(alien)).toMatchObject({ state: 'failed' })
  })

  it('never touches what another user was told, whatever an event claims', async () => {
    const stranger = aNotification(uuid())
    const delivery = aDelivery(stranger)
    await write(stranger.userId, [stranger], [delivery])
    const letter = await givenUp({ notification: { id: stranger.id } })
    await letters.replay(letter.id, LATER)
    expect(await rowOf(delivery)).toMatchObject({ state: 'failed' })
  })

  it('leaves a worker that has slept since before it nothing to write, even at the same attempt', async () => {
    const userId = uuid()
    const notification = aNotification(userId)
    const claimed = aDelivery(notification, { state: 'triggered', attempts: 0, nextAttemptAt: NOON })
    await write(userId, [notification], [claimed])
    const outcome = (delivery: Delivery, state: Delivery['state']) =>
      changes.commit(
        aChange(userId, {
          events: [],
          changedDeliveries: [
            changedDelivery(delivery, { state, attempts: delivery.attempts + 1, nextAttemptAt: null }),
          ],
        }),
      )
    expect(await outcome(claimed, 'failed')).toMatchObject({ outcome: 'applied' })
    const letter = await givenUp({ notification: { id: notification.id } }, userId)
    await letters.replay(letter.id, LATER)
    expect(await outcome(claimed, 'failed')).toEqual({ outcome: 'conflict' })
    expect(await rowOf(claimed)).toMatchObject({ state: 'triggered', attempts: 0 })
    expect(await outcome({ ...claimed, version: 3 }, 'delivered')).toMatchObject({ outcome: 'applied' })
  })

  it('happens as a whole or not at all', async () => {
    const userId = uuid()
    const notification = aNotification(userId)
    await write(userId, [notification], [aDelivery(notification)])
    const letter = await givenUp({ notification: { id: notification.id } }, userId)
    await sql`alter table deliveries add constraint refused check (attempts > 0) not valid`
    await expect(letters.replay(letter.id, LATER)).rejects.toThrow('refused')
    await sql`alter table deliveries drop constraint refused`
    expect([await stateOf(letter.id), await waiting(userId)]).toEqual(['open', []])
    expect(await letters.replay(letter.id, LATER)).toBe('replayed')
  })
})
