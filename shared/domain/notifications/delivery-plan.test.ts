import { describe, expect, it } from 'vitest'
import { systemIds } from '../../kit/system.ts'
import { carrierOf, decideTry, firingFact, type TryResult } from './delivery-plan.ts'
import { NO_TARGET, type Channel, type Delivery, type Notification } from './notification.ts'

const NOW = new Date('2026-03-02T12:00:00.000Z')
const userId = systemIds.uuid()

const aNotification = (over: Partial<Notification> = {}): Notification => ({
  id: systemIds.uuid(),
  userId,
  source: systemIds.uuid(),
  type: 'reminder',
  taskId: systemIds.uuid(),
  reminderId: systemIds.uuid(),
  title: 'Pay rent',
  body: '',
  late: false,
  createdAt: NOW,
  readAt: null,
  ...over,
})
const aDelivery = (over: Partial<Delivery> = {}): Delivery => ({
  id: systemIds.uuid(),
  userId,
  notificationId: systemIds.uuid(),
  taskId: null,
  reminderId: null,
  fireAt: NOW,
  channel: 'email',
  target: NO_TARGET,
  state: 'triggered',
  attempts: 0,
  nextAttemptAt: NOW,
  triggeredAt: NOW,
  deliveredAt: null,
  late: false,
  reason: null,
  digestId: null,
  version: 1,
  ...over,
})
const tried = (delivery: Delivery, result: TryResult, siblings: Delivery[] = []) => {
  const { decision, isGivenUp } = decideTry(
    { delivery, notification: aNotification(), siblings, carried: [] },
    result,
    NOW,
  )
  return { ...decision, isGivenUp, after: decision.changedDeliveries![0]! }
}
const BUSY = { outcome: 'failed', reason: 'busy' } as const

describe('the plan of a delivery', () => {
  it('has tries after 1 s, 5 s, 30 s and 5 min, and then no more', () => {
    const pauses = [0, 1, 2, 3].map((attempts) => {
      const { after } = tried(aDelivery({ attempts }), BUSY)
      expect(after).toMatchObject({ state: 'triggered', attempts: attempts + 1, reason: 'busy' })
      return after.nextAttemptAt!.getTime() - NOW.getTime()
    })
    expect(pauses).toEqual([1000, 5000, 30_000, 300_000])
    const last = tried(aDelivery({ attempts: 4 }), BUSY)
    expect(last).toMatchObject({
      isGivenUp: true,
      after: { state: 'failed', attempts: 5, nextAttemptAt: null },
    })
  })

  it.each([
    [10, 1000],
    [60_000, 60_000],
    [10 ** 12, 86_400_000],
  ])(
    'waits for the %i ms that the other side asks for, but never less than its own pause nor more than a day',
    (afterMs, waits) => {
      const { after } = tried(aDelivery(), { ...BUSY, afterMs })
      expect(after.nextAttemptAt!.getTime() - NOW.getTime()).toBe(waits)
    },
  )

  it.each([
    ['refused', true],
    ['gone', false],
  ] as const)('ends with what is %s; it is a dead letter: %s', (outcome, isGivenUp) => {
    expect(tried(aDelivery(), { outcome, reason: 'no' })).toMatchObject({
      isGivenUp,
      after: { state: 'failed', reason: 'no' },
    })
  })

  it('rests on the other deliveries of the firing only when it ends one', () => {
    const sibling = aDelivery()
    expect(tried(aDelivery(), BUSY, [sibling]).unchangedDeliveries).toBeUndefined()
    expect(tried(aDelivery(), { outcome: 'delivered' }, [sibling]).unchangedDeliveries).toEqual([sibling])
  })
})

describe('a firing', () => {
  const ended = (...states: [Channel, Delivery['state']][]) => {
    const fact = firingFact(
      aNotification(),
      states.map(([channel, state]) => aDelivery({ channel, state })),
    )
    return fact && [fact.definition.type, fact.data]
  }

  it('has not ended while anything is to be sent or held back', () => {
    expect(ended(['in_app', 'delivered'], ['email', 'triggered'])).toBe(null)
    expect(ended(['in_app', 'held'], ['email', 'delivered'])).toBe(null)
  })

  it('was sent when one channel has brought it, on whichever device', () => {
    const two = ended(['web_push', 'failed'], ['web_push', 'delivered'], ['email', 'failed'])
    expect(two).toMatchObject(['reminder.sent', { delivered: ['web_push'], failed: ['email'] }])
  })

  it('has failed when none has', () => {
    expect(ended(['web_push', 'failed'], ['email', 'cancelled'])).toMatchObject([
      'reminder.failed',
      { delivered: [], failed: ['web_push'] },
    ])
  })

  it('that was cancelled is neither', () => expect(ended(['email', 'cancelled'])).toBe(null))

  it('of no reminder is none', () => {
    expect(firingFact(aNotification({ reminderId: null }), [aDelivery({ state: 'delivered' })])).toBe(null)
  })
})

describe('what a digest carries', () => {
  const [phone, laptop] = [systemIds.uuid(), systemIds.uuid()]
  const inApp = aDelivery({ channel: 'in_app' })
  const digest = [
    aDelivery({ channel: 'web_push', target: phone }),
    aDelivery({ channel: 'web_push', target: laptop }),
    inApp,
    aDelivery({ channel: 'email' }),
  ]
  const carrier = (channel: Channel, target = NO_TARGET, among = digest) =>
    carrierOf(aDelivery({ channel, target, state: 'held' }), among)

  it('goes with the delivery to the same device, else on the same channel', () => {
    expect(carrier('web_push', laptop)).toBe(digest[1])
    expect(carrier('web_push', systemIds.uuid())).toBe(digest[0])
    expect(carrier('email')).toBe(digest[3])
  })

  it('goes with what the app shows when the digest does not use its channel, else with any', () => {
    expect(carrier('webhook')).toBe(inApp)
    expect(carrier('webhook', NO_TARGET, [digest[3]!, digest[1]!])).toBe(digest[1])
  })
})
