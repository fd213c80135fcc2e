import { DAY_MS } from '../../../domain/durations.ts'
import { DomainError } from '../../../domain/errors.ts'
import { PasswordResetRequested } from '../../../domain/events.ts'
import { accountMail } from '../../../domain/notifications/confirmation.ts'
import { networkOf, secondsUntil } from '../../../domain/auth/identity-throttle.ts'
import { commitIdentity, eventsAbout, NOBODY, type Signing } from '../auth-events.ts'
import { countMessage } from '../../notifications/limits/count-messages.ts'
import { mailRefusedUntil } from '../../notifications/limits/first-messages.ts'
import type { AuthCall } from '../ports.ts'
import type { Answer, Deps } from '../../ports.ts'

/** That one client can ask for in an hour, and that can be asked for one address in a day, whether it has an account or not. */
const MAX_OF_CLIENT = 20
const MAX_TO_ADDRESS = 5
/** Longer than it takes to find an account and write down a mail to it, so that the answer does not tell by its time. */
const ANSWER_AFTER_MS = 250

/**
 * Sends a mail with a link that sets a new password, if the address has an account with one; the answer, and when it comes, are
 * the same if not. `auth.rate_limited` when this client has asked, or for this address was asked, too often.
 */
export async function askReset(
  deps: Signing & Pick<Deps, 'startTimer'>,
  call: AuthCall,
  email: string,
): Promise<Answer<null>> {
  const fromClient = { name: `password resets ${networkOf(call.clientAddress)}`, most: MAX_OF_CLIENT }
  const toAddress = { name: `password resets to ${email}`, most: MAX_TO_ADDRESS, windowMs: DAY_MS }
  const refusedUntil =
    (await countMessage(deps, fromClient, call.now)) ?? (await countMessage(deps, toAddress, call.now))
  if (refusedUntil) {
    throw new DomainError(
      'auth.rate_limited',
      'Too many mails to set a password were requested, by this client or for this address.',
      { retryAfterSeconds: secondsUntil(refusedUntil, call.now) },
    )
  }
  const timePasses = new Promise<void>((resolve) => void deps.startTimer(resolve, ANSWER_AFTER_MS))
  await Promise.all([sendMail(deps, call, email), timePasses])
  return { body: null }
}

async function sendMail(deps: Signing, call: AuthCall, email: string): Promise<void> {
  const { now } = call
  const { user } = await deps.identity.store.loadLogin({ email }, [], now)
  if (!user) return
  // To who never asked for any mail there are no more than ask for a confirmation.
  if (!user.emailConfirmedAt && (await mailRefusedUntil(deps, call, email))) return
  const events = eventsAbout(deps, call, user.id, NOBODY)
  await commitIdentity(deps, {
    userId: user.id,
    at: now,
    mails: accountMail('password_reset', { userId: user.id, address: email }, { now, newId: deps.ids.uuid }),
    events: events([PasswordResetRequested]),
  })
}
