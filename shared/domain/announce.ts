import { fact, type Decision } from './decision.ts'
import { NotificationSent } from './events.ts'
import {
  NO_TARGET,
  notificationView,
  type Channel,
  type Delivery,
  type Notification,
  type NotificationType,
} from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { quietUntil } from './quiet-hours.ts'

/** Something to be told to one user, before it is decided how. */
export interface Announcement {
  notification: Notification
  /** Null: as the user's preferences say for its type. */
  channels: readonly Channel[] | null
  /** Quiet hours do not hold it back. */
  isUrgent: boolean
  /** When it was to reach the user. */
  fireAt: Date
}

interface Context {
  now: Date
  newId: () => string
  /** How many facts of the decision come before those of the announcement. */
  factsBefore: number
}

/**
 * The notification with one delivery per channel, and per device for push. In the app it is delivered by being written,
 * so that part is done with the decision; the others wait for the next sweep. Quiet hours hold all of them back.
 */
export function decideAnnouncement(
  { notification, channels, isUrgent, fireAt }: Announcement,
  audience: Audience,
  { now, newId, factsBefore }: Context,
): Required<Pick<Decision, 'newNotifications' | 'newDeliveries' | 'facts'>> {
  const heldUntil = isUrgent ? null : quietUntil(audience.preferences.quietHours, audience.timeZone, now)
  const wanted = channels ?? audience.preferences.channels[notification.type]
  const deliveries = targetsOf(wanted, audience).map<Delivery>(({ channel, target }) => {
    const isDone = channel === 'in_app' && !heldUntil
    return {
      ...{ id: newId(), userId: notification.userId, notificationId: notification.id },
      ...{ reminderId: notification.reminderId, fireAt, channel, target },
      state: isDone ? 'delivered' : heldUntil ? 'held' : 'triggered',
      attempts: isDone ? 1 : 0,
      nextAttemptAt: isDone ? null : (heldUntil ?? now),
      ...{ triggeredAt: now, deliveredAt: isDone ? now : null, late: notification.late },
      ...{ reason: heldUntil ? 'quiet hours' : null, digestId: null, version: 1 },
    }
  })
  const shown = deliveries.filter(({ state }) => state === 'delivered')
  return {
    newNotifications: [{ notification, fact: shown.length > 0 ? factsBefore : null }],
    newDeliveries: deliveries,
    facts: shown.map((delivery) => sentFact(notification, delivery)),
  }
}

export const sentFact = (notification: Notification, { id, channel, attempts }: Delivery) =>
  fact(NotificationSent, `notification/${notification.id}`, {
    ...{ notification: notificationView(notification), delivery_id: id, channel, attempts },
  })

/** The channels that a notification of a type would go to by the user's preferences, each once. */
export const usualChannels = (type: NotificationType, audience: Audience): Channel[] => [
  ...new Set(targetsOf(audience.preferences.channels[type], audience).map(({ channel }) => channel)),
]

/** Where a user can be reached on the channels they want; in the app always, so nobody is left out. */
function targetsOf(
  wanted: readonly Channel[],
  { hasEmail, preferences, subscriptions }: Audience,
): { channel: Channel; target: string }[] {
  const targets = wanted.flatMap((channel) => {
    const one = [{ channel, target: NO_TARGET }]
    switch (channel) {
      case 'in_app':
        return one
      case 'email':
        return hasEmail ? one : []
      case 'webhook':
        return preferences.webhookUrl ? one : []
      case 'web_push':
      case 'mobile_push':
        return subscriptions
          .filter((subscription) => subscription.channel === channel)
          .map(({ id }) => ({ channel, target: id }))
    }
  })
  return targets.length > 0 ? targets : [{ channel: 'in_app', target: NO_TARGET }]
}
