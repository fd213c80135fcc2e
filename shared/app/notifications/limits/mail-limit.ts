import { MAIL_DIGEST, TOO_MANY_MAILS } from '../../../domain/notifications/new-notification.ts'
import { isChosen } from '../../../domain/notifications/notification.ts'
import type { DueDelivery } from '../ports.ts'
import { admitDelivery, uncountMessage, type Limiting } from './count-messages.ts'

const nameOf = (userId: string): string => `mails ${userId}`

/** Whether it is one of those that a user may have so many of in an hour; each is one however often it is tried. */
export const isLimited = (
  { settings }: Limiting,
  { delivery, notification: { type, source }, destination }: DueDelivery,
): boolean =>
  settings.maxMailsPerHour > 0 &&
  destination.channel === 'email' &&
  delivery.attempts === 0 &&
  isChosen(type) &&
  !source.startsWith(`${MAIL_DIGEST}/`)

/** Counts a mail that is about to go, or lays it by for the digest of its hour; false when it was laid by. */
export function admitMail(deps: Limiting, { delivery }: DueDelivery): Promise<boolean> {
  const { userId } = delivery
  const limit = { name: nameOf(userId), most: deps.settings.maxMailsPerHour, userId }
  return admitDelivery(deps, delivery, limit, { state: 'held', reason: TOO_MANY_MAILS })
}

export const uncountMail = (deps: Limiting, { delivery }: DueDelivery): Promise<void> =>
  uncountMessage(deps, nameOf(delivery.userId))
