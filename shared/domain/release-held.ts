import { sentFact } from './announce.ts'
import type { Decision } from './decision.ts'
import { carrierOf, firingFact, settledAs } from './delivery-plan.ts'
import { announceDigest, lines } from './digest.ts'
import { changedDelivery, type Delivery, type Notification } from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { quietUntil } from './quiet-hours.ts'

interface Held {
  delivery: Delivery
  notification: Notification
  isWanted: boolean
}

/**
 * What becomes of all that quiet hours held back for a user: what nobody needs any more is cancelled, a single notification
 * is delivered as itself, more than one are told in a digest. While it is quiet, they wait on.
 */
export function decideRelease(
  { audience, held }: { audience: Audience; held: readonly Held[] },
  { now, newId }: { now: Date; newId: () => string },
): Decision {
  const cancelled = held
    .filter(({ isWanted }) => !isWanted)
    .map(({ delivery }) =>
      changedDelivery(delivery, {
        ...{ state: 'cancelled', nextAttemptAt: null },
        reason: 'the task was closed, or its reminder dealt with or set anew, during quiet hours',
      }),
    )
  const wanted = held.filter(({ isWanted }) => isWanted)
  const until = quietUntil(audience.preferences.quietHours, audience.timeZone, now)
  const notifications = new Map(wanted.map(({ notification }) => [notification.id, notification]))
  const released =
    until !== null || notifications.size === 0
      ? {
          changedDeliveries: wanted.map(({ delivery }) =>
            changedDelivery(delivery, { nextAttemptAt: until }),
          ),
          facts: [],
        }
      : notifications.size === 1
        ? asItself(wanted, now)
        : inDigest(wanted, audience, { now, newId })
  return { ...released, changedDeliveries: [...cancelled, ...(released.changedDeliveries ?? [])] }
}

function asItself(held: readonly Held[], now: Date): Decision {
  const { notification } = held[0]!
  const deliveries = held.map(({ delivery }) =>
    delivery.channel === 'in_app'
      ? settledAs(delivery, { ...delivery, state: 'delivered', deliveredAt: now, reason: null })
      : changedDelivery(delivery, { state: 'triggered', nextAttemptAt: now, reason: null }),
  )
  const shown = deliveries.filter(({ state }) => state === 'delivered')
  const ended = firingFact(notification, deliveries)
  return {
    changedDeliveries: deliveries,
    ...(shown.length > 0 && { shownNotifications: [{ id: notification.id, fact: 0 }] }),
    facts: [...shown.map((delivery) => sentFact(notification, delivery)), ...(ended ? [ended] : [])],
  }
}

function inDigest(
  held: readonly Held[],
  audience: Audience,
  { now, newId }: { now: Date; newId: () => string },
): Decision {
  const byNotification = [...Map.groupBy(held, ({ notification }) => notification.id).values()]
  const digest: Notification = {
    ...{ id: newId(), userId: audience.userId, source: `held/${held[0]!.delivery.id}`, type: 'quiet_digest' },
    ...{
      taskId: null,
      reminderId: null,
      title: `While it was quiet: ${byNotification.length} notifications`,
    },
    body: lines(byNotification.map(([one]) => one!.notification.title)),
    ...{ late: false, createdAt: now, readAt: null },
  }
  const announced = announceDigest(digest, { audience, fireAt: now, isUrgent: true }, { now, newId })
  const carried = byNotification.map((group) => {
    const deliveries = group.map(({ delivery }) => {
      const digestId = digest.id
      const carrier = carrierOf(delivery, announced.newDeliveries)
      return carrier?.state === 'delivered'
        ? settledAs({ ...delivery, digestId }, carrier)
        : changedDelivery(delivery, { digestId, nextAttemptAt: null })
    })
    return { deliveries, ended: firingFact(group[0]!.notification, deliveries) }
  })
  return {
    ...announced,
    changedDeliveries: carried.flatMap(({ deliveries }) => deliveries),
    facts: [...announced.facts, ...carried.map(({ ended }) => ended).filter((ended) => ended !== null)],
  }
}
