import { MAIL_DIGEST, TOO_MANY_MAILS, type NewNotification } from './new-notification.ts'
import type { Decision } from '../decision.ts'
import { sentFact } from './notification-facts.ts'
import { carrierOf, firingFact, withOutcomeOf } from './delivery-plan.ts'
import { announceDigest, lines } from './digest.ts'
import { changedDelivery, type Channel, type Delivery, type Notification } from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { quietUntil } from './quiet-hours.ts'

interface Held {
  delivery: Delivery
  notification: Notification
  isWanted: boolean
}

interface Digest {
  source: string
  title: (count: number) => string
  /** Null: as the user's preferences say. */
  channels: readonly Channel[] | null
}
const OF_QUIET_HOURS: Digest = {
  source: 'held',
  title: (count) => `During quiet hours: ${count} notifications`,
  channels: null,
}
const OF_MAILS: Digest = {
  source: MAIL_DIGEST,
  title: (count) => `${count} more notifications within the hour`,
  channels: ['email'],
}

/**
 * What becomes of all that is held back for a user: what nobody needs any more is cancelled, a single notification is
 * delivered as itself, more than one come in a digest. While it is quiet, they wait on. Mails that were too many wait
 * until their hour is over and come in a digest that is a mail and nothing else.
 */
export function decideRelease(
  { audience, held }: { audience: Audience; held: readonly Held[] },
  { now, newId }: { now: Date; newId: () => string },
): Decision {
  const { quietHours, channels } = audience.preferences
  const until = quietUntil(quietHours, audience.timeZone, now)
  const isMail = ({ delivery }: Held) => delivery.reason === TOO_MANY_MAILS
  const isUnwanted = (one: Held) => !one.isWanted || (isMail(one) && !channels.quiet_digest.includes('email'))
  const quiet = held.filter((one) => !isUnwanted(one) && !isMail(one))
  const mails = held.filter((one) => !isUnwanted(one) && isMail(one))
  const due = mails.filter(({ delivery }) => delivery.nextAttemptAt! <= now)
  // One digest at a time: the mails come with the next look, which follows at once.
  const [group, digest] = quiet.length > 0 ? [quiet, OF_QUIET_HOURS] : [due, OF_MAILS]
  const released =
    until !== null || group.length === 0
      ? {
          changedDeliveries: quiet.map(({ delivery }) => changedDelivery(delivery, { nextAttemptAt: until })),
          facts: [],
        }
      : new Set(group.map(({ notification }) => notification.id)).size === 1
        ? asItself(group, now)
        : inDigest(group, digest, audience, { now, newId })
  const cancelled = held.filter(isUnwanted).map(({ delivery, isWanted }) =>
    changedDelivery(delivery, {
      state: 'cancelled',
      nextAttemptAt: null,
      reason: isWanted
        ? TOO_MANY_MAILS
        : 'the task was closed, or its reminder acknowledged or changed, while it was held',
    }),
  )
  const waiting = mails
    .filter((one) => until !== null || !group.includes(one))
    .map(({ delivery }) =>
      changedDelivery(delivery, { nextAttemptAt: latest(delivery.nextAttemptAt!, until) }),
    )
  return { ...released, changedDeliveries: [...cancelled, ...waiting, ...(released.changedDeliveries ?? [])] }
}

const latest = (one: Date, other: Date | null): Date => (other !== null && other > one ? other : one)

function asItself(held: readonly Held[], now: Date): Decision {
  const { notification } = held[0]!
  const deliveries = held.map(({ delivery }) =>
    delivery.channel === 'in_app'
      ? withOutcomeOf(delivery, { ...delivery, state: 'delivered', deliveredAt: now, reason: null })
      : changedDelivery(delivery, { state: 'triggered', nextAttemptAt: now, reason: null }),
  )
  const shown = deliveries
    .filter(({ state }) => state === 'delivered')
    .map((delivery) => sentFact(notification, delivery))
  const [shownBy] = shown
  const ended = firingFact(notification, deliveries)
  return {
    changedDeliveries: deliveries,
    ...(shownBy && { shownNotifications: [{ id: notification.id, shownBy }] }),
    facts: [...shown, ...(ended ? [ended] : [])],
  }
}

function inDigest(
  held: readonly Held[],
  { source, title, channels }: Digest,
  audience: Audience,
  { now, newId }: { now: Date; newId: () => string },
): Decision {
  const byNotification = [...Map.groupBy(held, ({ notification }) => notification.id).values()]
  const digest: NewNotification['notification'] = {
    id: newId(),
    userId: audience.userId,
    source: `${source}/${held[0]!.delivery.id}`,
    type: 'quiet_digest',
    taskId: null,
    reminderId: null,
    title: title(byNotification.length),
    body: lines(byNotification.map(([one]) => one!.notification.title)),
    late: false,
    createdAt: now,
    readAt: null,
  }
  const whom = { audience, fireAt: now, isUrgent: true, channels }
  const announced = announceDigest(digest, whom, { now, newId })
  const carried = byNotification.map((group) => {
    const deliveries = group.map(({ delivery }) => {
      const digestId = digest.id
      const carrier = carrierOf(delivery, announced.newDeliveries)
      return carrier?.state === 'delivered'
        ? withOutcomeOf({ ...delivery, digestId }, carrier)
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
