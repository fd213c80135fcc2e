import { describe, expect, it } from 'vitest'
import { aDelivery, aNotification } from '../../../testing/builders/a-notification.ts'
import { NOON } from '../../../testing/builders/a-task.ts'
import { systemIds } from '../../kit/system.ts'
import { carrierOf, decideTry, firingFact } from './delivery-plan.ts'
import { NO_TARGET, type Channel } from './notification.ts'

describe('the plan of a delivery', () => {
  it.each([
    [10, 1000],
    [60_000, 60_000],
    [10 ** 12, 86_400_000],
  ])(
    'waits for the %i ms that the other side asks for, but never less than its own pause nor more than a day',
    (afterMs, waits) => {
      const state = { delivery: aDelivery(), notification: aNotification(), siblings: [], carried: [] }
      const { decision } = decideTry(state, { outcome: 'failed', reason: 'busy', afterMs }, NOON)
      expect(decision.changedDeliveries![0]!.nextAttemptAt!.getTime() - NOON.getTime()).toBe(waits)
    },
  )
})

it('a firing of which all was cancelled is neither sent nor failed, and one of no reminder is none', () => {
  const cancelled = aDelivery({ state: 'cancelled' })
  expect(firingFact(aNotification({ reminderId: systemIds.uuid() }), [cancelled])).toBe(null)
  expect(firingFact(aNotification(), [aDelivery({ state: 'delivered' })])).toBe(null)
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
