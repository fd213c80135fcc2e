import { networkOf } from '../../../domain/auth/identity-throttle.ts'
import { DAY_MS } from '../../../domain/durations.ts'
import type { AuthCall } from '../../auth/ports.ts'
import type { Deps } from '../../ports.ts'
import { countMessage, uncountMessage } from './count-messages.ts'

/** To webhooks and devices, that one user can have sent in an hour, wherever they lead. */
const MAX_OF_USER = 10
/** To mail addresses, that one client can have sent in an hour, as whoever it registers. */
const MAX_MAILS_OF_CLIENT = 20
/** To one address, whoever registers it, in the window that its first one opens: enough for a person who loses one. */
const MAX_MAILS_TO_ADDRESS = 3
const ADDRESS_WINDOW_MS = 30 * DAY_MS

/** Counts a first message to a webhook or a device of the user; false when they have had too many sent in this hour. */
export const mayAskTarget = async (
  deps: Pick<Deps, 'identity'>,
  userId: string,
  now: Date,
): Promise<boolean> =>
  (await countMessage(deps, { name: `first messages ${userId}`, most: MAX_OF_USER, userId }, now)) === null

/**
 * Counts a mail that asks to confirm the address; when this client or this address has had too many, resolves to when
 * there may be another.
 */
export async function mailRefusedUntil(
  deps: Pick<Deps, 'identity'>,
  { clientAddress, now }: AuthCall,
  email: string,
): Promise<Date | null> {
  const fromClient = { name: `confirmation mails ${networkOf(clientAddress)}`, most: MAX_MAILS_OF_CLIENT }
  const toAddress = { name: nameOf(email), most: MAX_MAILS_TO_ADDRESS, windowMs: ADDRESS_WINDOW_MS }
  return (await countMessage(deps, fromClient, now)) ?? countMessage(deps, toAddress, now)
}

export const uncountMailTo = (deps: Pick<Deps, 'identity'>, email: string): Promise<void> =>
  uncountMessage(deps, nameOf(email))

const nameOf = (email: string): string => `confirmation mails to ${email}`
