import type { Decision } from '../decision.ts'
import { NO_TARGET, type Channel, type Delivery, type ChosenType, type Notification } from './notification.ts'
import { sentFact } from './notification-facts.ts'
import type { Audience } from './notification-preferences.ts'
import { quietUntil } from './quiet-hours.ts'

/** Why a delivery is held or cancelled, in the ledger. */
const QUIET_HOURS = 'quiet hours'
export const TOO_MANY_MAILS = 'too many mails within an hour'
export const NOTIFIED_BY_ANOTHER = 'another reminder of this task has told it at this time'
const NOT_CONFIRMED = 'this address is not confirmed yet'

/** What the source of a digest of mails begins with, which is sent however many there were. */
export const MAIL_DIGEST = 'mails'

export interface NewNotification {
  notification: Notification & { type: ChosenType }
  /** Null: as the user's preferences say for its type. */
  channels: readonly Channel[] | null
  /** Quiet hours do not hold it back. */
  isUrgent: boolean
  /** When it was to reach the user. */
  fireAt: Date
  /** Where the user has been notified of the same task for this time. */
  alreadyNotified?: readonly Pick<Delivery, 'channel' | 'target'>[]
}

/**
 * The notification with one delivery per channel, and per device for push. In the app it is delivered by being written,
 * so that part is done with the decision; the others wait for the next sweep. Quiet hours hold all of them back. Where the
 * user has been notified already, the ledger gets a line and the user nothing.
 */
export function decideNotification(
  { notification, channels, isUrgent, fireAt, alreadyNotified = [] }: NewNotification,
  audience: Audience,
  { now, newId }: { now: Date; newId: () => string },
): Required<Pick<Decision, 'newNotifications' | 'newDeliveries' | 'facts'>> {
  const heldUntil = isUrgent ? null : quietUntil(audience.preferences.quietHours, audience.timeZone, now)
  const wanted = channels ?? audience.preferences.channels[notification.type]
  const deliveries = targetsOf(wanted, audience).map<Delivery>(({ channel, target, isConfirmed }) => {
    const line = {
      id: newId(),
      userId: notification.userId,
      notificationId: notification.id,
      reminderId: notification.reminderId,
      taskId: notification.taskId,
      fireAt,
      channel,
      target,
      triggeredAt: now,
      late: notification.late,
      digestId: null,
      version: 1,
    }
    const isNotified = alreadyNotified.some((one) => one.channel === channel && one.target === target)
    if (!isConfirmed || isNotified) {
      const over = { attempts: 0, nextAttemptAt: null, deliveredAt: null }
      return {
        ...line,
        ...over,
        state: 'cancelled',
        reason: isNotified ? NOTIFIED_BY_ANOTHER : NOT_CONFIRMED,
      }
    }
    const isDone = channel === 'in_app' && !heldUntil
    return {
      ...line,
      state: isDone ? 'delivered' : heldUntil ? 'held' : 'triggered',
      attempts: isDone ? 1 : 0,
      nextAttemptAt: isDone ? null : (heldUntil ?? now),
      deliveredAt: isDone ? now : null,
      reason: heldUntil ? QUIET_HOURS : null,
    }
  })
  const facts = deliveries
    .filter(({ state }) => state === 'delivered')
    .map((delivery) => sentFact(notification, delivery))
  return {
    newNotifications: [{ notification, shownBy: facts[0] ?? null }],
    newDeliveries: deliveries,
    facts,
  }
}

export const usualChannels = (type: ChosenType, audience: Audience): Channel[] => [
  ...new Set(
    targetsOf(audience.preferences.channels[type], audience)
      .filter(({ isConfirmed }) => isConfirmed)
      .map(({ channel }) => channel),
  ),
]

/**
 * Where a user is to be reached on the channels they want; in the app always, so nobody is left out. What is not confirmed
 * gets its line in the ledger and no message.
 */
function targetsOf(
  wanted: readonly Channel[],
  { hasEmail, isEmailConfirmed, preferences, subscriptions }: Audience,
): { channel: Channel; target: string; isConfirmed: boolean }[] {
  const only = (channel: Channel, isConfirmed: boolean) => [{ channel, target: NO_TARGET, isConfirmed }]
  const targets = wanted.flatMap((channel) => {
    switch (channel) {
      case 'in_app':
        return only(channel, true)
      case 'email':
        return hasEmail ? only(channel, isEmailConfirmed) : []
      case 'webhook':
        return preferences.webhookUrl ? only(channel, preferences.webhookConfirmedAt !== null) : []
      case 'web_push':
      case 'mobile_push':
        return subscriptions
          .filter((subscription) => subscription.channel === channel)
          .map(({ id, isConfirmed }) => ({ channel, target: id, isConfirmed }))
    }
  })
  return targets.some(({ isConfirmed }) => isConfirmed) ? targets : [...only('in_app', true), ...targets]
}
