import type { Decision } from '../decision.ts'
import type { User } from '../auth/identity.ts'
import { DAY_MS, HOUR_MS } from '../durations.ts'
import {
  NO_TARGET,
  type AccountMail,
  type Channel,
  type Delivery,
  type Notification,
} from './notification.ts'

export const CONFIRM_WITHIN_MS = DAY_MS
const MAIL_AGAIN_AFTER_MS = HOUR_MS

/** Messages that go out at once, whatever the user has chosen. */
export type Asked = Required<Pick<Decision, 'newNotifications' | 'newDeliveries'>>

/** When the next mail may ask to confirm the address; null when there is nothing to ask. */
export function confirmationMailAt(
  { email, emailConfirmedAt, confirmationSentAt }: User,
  now: Date,
): Date | null {
  if (email === null || emailConfirmedAt !== null) return null
  if (confirmationSentAt === null) return now
  return new Date(Math.max(now.getTime(), confirmationSentAt.getTime() + MAIL_AGAIN_AFTER_MS))
}

const TITLES: Record<AccountMail | 'confirmation', string> = {
  confirmation: 'Daybook notifications are enabled',
  password_reset: 'Set a new password',
  password_change: 'Your password was changed',
  address_change: 'Your address is about to change',
}

interface Context {
  now: Date
  newId: () => string
}

/** The first message to the account's address, a webhook or a device, by which it shows that it is the user's. */
export const askToConfirm = (
  { userId, channel, target = NO_TARGET }: { userId: string; channel: Channel; target?: string },
  context: Context,
): Asked => message({ userId, type: 'confirmation', channel, target, body: '' }, context)

/** A mail to an address that is not, or need not be for long, the account's; `confirmation` asks whether it is the user's. */
export const accountMail = (
  type: AccountMail | 'confirmation',
  { userId, address }: { userId: string; address: string },
  context: Context,
): Asked => message({ userId, type, channel: 'email', target: NO_TARGET, body: address }, context)

/** It is in the ledger like any other and tried like any other; the app does not show it, and no event tells of it. */
function message(
  {
    userId,
    type,
    channel,
    target,
    body,
  }: Pick<Notification, 'userId' | 'body'> & {
    type: keyof typeof TITLES
    channel: Channel
    target: string
  },
  { now, newId }: Context,
): Asked {
  const id = newId()
  const notification: Notification = {
    id,
    userId,
    source: `${type}/${id}`,
    type,
    taskId: null,
    reminderId: null,
    title: TITLES[type],
    body,
    late: false,
    createdAt: now,
    readAt: null,
  }
  const delivery: Delivery = {
    id: newId(),
    userId,
    notificationId: id,
    reminderId: null,
    taskId: null,
    fireAt: now,
    channel,
    target,
    state: 'triggered',
    attempts: 0,
    nextAttemptAt: now,
    triggeredAt: now,
    deliveredAt: null,
    late: false,
    reason: null,
    digestId: null,
    version: 1,
  }
  return { newNotifications: [{ notification, shownBy: null }], newDeliveries: [delivery] }
}
