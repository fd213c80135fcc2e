import { DAY_MS, MINUTE_MS } from '../../../domain/durations.ts'
import { DomainError } from '../../../domain/errors.ts'
import { PasswordResetRequested } from '../../../domain/events.ts'
import { accountMail } from '../../../domain/notifications/confirmation.ts'
import { networkOf, secondsUntil } from '../../../domain/auth/identity-throttle.ts'
import { commitIdentity, eventsAbout, NOBODY, type Signing } from '../auth-events.ts'
import { countMessage, uncountMessage, type MessageLimit } from '../../notifications/limits/count-messages.ts'
import { mailRefusedUntil } from '../../notifications/limits/first-messages.ts'
import type { AuthCall } from '../ports.ts'
import type { Answer } from '../../ports.ts'

/** That one client can ask for in an hour, whatever the addresses. */
const MAX_OF_CLIENT = 20
/** That one client can ask for in a day for one address. */
const MAX_OF_CLIENT_TO_ADDRESS = 5
/** Between two mails to one address, whoever asks; less than a link holds, so whoever has to wait has one that works. */
const AGAIN_AFTER_MS = 5 * MINUTE_MS

/**
 * Sends a mail with a link that sets a new password, if the address has an account with one; the answer is the same if not.
 * `auth.rate_limited` when this client has asked too often, or anybody for this address moments ago, whether it has an account or
 * not.
 */
export async function askReset(deps: Signing, call: AuthCall, email: string): Promise<Answer<null>> {
  const refusedUntil = await countRequest(deps, call, email)
  if (refusedUntil) {
    throw new DomainError(
      'auth.rate_limited',
      'Too many mails to set a password were requested, by this client or for this address; use the last one, or wait.',
      { retryAfterSeconds: secondsUntil(refusedUntil, call.now) },
    )
  }
  // Nobody waits for it: how long it takes would tell whether there is somebody to write to.
  sendMail(deps, call, email).catch((err: unknown) =>
    deps.log.error({ err }, 'failed to send mail that sets a password'),
  )
  return { body: null }
}

/** A request that is refused because of its address is not counted for its client in the day: others may have asked before. */
async function countRequest(deps: Signing, call: AuthCall, email: string): Promise<Date | null> {
  const client = networkOf(call.clientAddress)
  const ofClient = { name: `password resets ${client}`, most: MAX_OF_CLIENT }
  const toAddress = { name: `password resets to ${email}`, most: 1, windowMs: AGAIN_AFTER_MS }
  const ofBoth = {
    name: `password resets ${client} to ${email}`,
    most: MAX_OF_CLIENT_TO_ADDRESS,
    windowMs: DAY_MS,
  }
  const count = (limit: MessageLimit) => countMessage(deps, limit, call.now)
  const refusedUntil = (await count(ofClient)) ?? (await count(ofBoth))
  if (refusedUntil) return refusedUntil
  const again = await count(toAddress)
  if (again) await uncountMessage(deps, ofBoth.name)
  return again
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
