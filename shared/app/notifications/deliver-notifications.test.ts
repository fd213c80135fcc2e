import { expect, it } from 'vitest'
import type { Delivery, Notification } from '../../domain/notifications/notification.ts'
import { manualTimers } from '../../../testing/worlds/manual-timers.ts'
import { testDaybook } from '../../../testing/worlds/test-daybook.ts'
import { deliverDue } from './deliver-notifications.ts'
import type { DueDelivery, ExternalChannel, SendResult } from './ports.ts'

const settle = () => new Promise(setImmediate)

it('does not look without a pause when a channel finds something just as all others are done', async () => {
  const unanswered = Promise.withResolvers<SendResult>()
  const timers = manualTimers()
  const looks = new Map<ExternalChannel, ((found: DueDelivery[]) => void)[]>()
  const { deps } = await testDaybook({ resources: { startTimer: timers.startTimer } })
  const slow = {
    ...deps,
    deliveries: {
      ...deps.deliveries,
      claimDue: (channel: ExternalChannel) =>
        new Promise<DueDelivery[]>((resolve) => {
          looks.set(channel, [...(looks.get(channel) ?? []), resolve])
        }),
    },
    senders: { ...deps.senders, email: () => unanswered.promise },
  }
  void deliverDue(slow, 'cron/sweep-deliveries')
  const answer = async (channel: ExternalChannel, found: DueDelivery[] = []) => {
    looks.get(channel)!.shift()!(found)
    await settle()
  }

  for (const channel of ['email', 'web_push', 'mobile_push'] as const) await answer(channel)
  timers.advance(60_000)
  await settle()
  // Three look again; meanwhile the fourth ends, so that nobody is busy.
  await answer('webhook')
  await answer('email', [aDueMail()])
  await answer('web_push')
  await answer('mobile_push')

  expect([...looks.values()].flat()).toEqual([])
})

function aDueMail(): DueDelivery {
  const delivery = { id: 'd', userId: 'u', channel: 'email', state: 'triggered' } as unknown as Delivery
  const notification = { id: 'n' } as unknown as Notification
  return {
    delivery,
    notification,
    siblings: [],
    carried: [],
    destination: { channel: 'email', address: 'a@b.example' },
  }
}
