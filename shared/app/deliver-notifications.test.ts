import { expect, it } from 'vitest'
import type { Delivery, Notification } from '../domain/notification.ts'
import { testDeps } from '../testing/test-deps.ts'
import { deliverDue } from './deliver-notifications.ts'
import type { DueDelivery, Outward } from './reminder-ports.ts'

const settle = () => new Promise(setImmediate)

it('does not look without a pause when a channel finds something just as all others are done', async () => {
  const unanswered = Promise.withResolvers<void>()
  const timers: (() => void)[] = []
  const looks = new Map<Outward, ((found: DueDelivery[]) => void)[]>()
  const deps = {
    ...testDeps(),
    startTimer: (work: () => void) => {
      timers.push(work)
      return () => {}
    },
    deliveries: {
      claimDue: (channel: Outward) =>
        new Promise<DueDelivery[]>((resolve) => {
          looks.set(channel, [...(looks.get(channel) ?? []), resolve])
        }),
    },
    senders: { email: () => unanswered.promise },
  }
  void deliverDue(deps as never)
  const answer = async (channel: Outward, found: DueDelivery[] = []) => {
    looks.get(channel)!.shift()!(found)
    await settle()
  }

  for (const channel of ['email', 'web_push', 'mobile_push'] as const) await answer(channel)
  for (const work of timers) work()
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
    ...{ delivery, notification, siblings: [], carried: [] },
    destination: { channel: 'email', address: 'a@b.example' },
  }
}
