import { refuseAgents } from '../../../domain/auth/api-token.ts'
import { AccountUpdated, EmailChangeRequested } from '../../../domain/events.ts'
import { asksForAddress, editedUser, type AccountPatch } from '../../../domain/auth/account.ts'
import { meView, type MeView, type User } from '../../../domain/auth/identity.ts'
import { secondsUntil } from '../../../domain/auth/identity-throttle.ts'
import type { MovedZone } from '../../../domain/decision.ts'
import { DomainError, invalidField } from '../../../domain/errors.ts'
import { accountMail, type Asked } from '../../../domain/notifications/confirmation.ts'
import { nextDigestAt } from '../../../domain/notifications/digest-time.ts'
import { commitIdentity, eventsAbout, retryIdentity, type Signing } from '../auth-events.ts'
import type { AuthCall } from '../ports.ts'
import { mailRefusedUntil, uncountMailTo } from '../../notifications/limits/first-messages.ts'
import { emailTaken } from '../register-user.ts'
import type { Actor, Answer, Deps } from '../../ports.ts'
import { findOwner, proveOwner } from './owner.ts'

type Editing = Signing & Pick<Deps, 'preferences'>

/**
 * Changes what a patch names. Another address takes effect when it is confirmed: a mail goes there and, if it was confirmed, one
 * to the present address, and whoever asks has to know the password. The same again changes nothing.
 */
export function editAccount(
  deps: Editing,
  call: AuthCall,
  actor: Actor,
  patch: AccountPatch,
): Promise<Answer<MeView>> {
  // By the address a password is set anew.
  if (patch.email !== undefined) refuseAgents(actor)
  return retryIdentity(async () => {
    const user = await findOwner(deps, actor)
    const after = editedUser(user, patch, call.now)
    const asksFor = asksForAddress(user, patch, call.now) ? after.newEmail : null
    if (asksFor !== null) await admitAddress(deps, call, { user, patch, asksFor })
    if (after === user) return { body: meView(user) }
    const events = eventsAbout(deps, call, user.id, actor.view)
    const isUpdated = after.timeZone !== user.timeZone || after.displayName !== user.displayName
    const { displayName: display_name, timeZone: time_zone } = after
    const outcome = await commitIdentity(deps, {
      userId: user.id,
      at: call.now,
      changedUser: after,
      ...(after.timeZone !== user.timeZone && (await movedZone(deps, after, call.now))),
      ...(asksFor !== null && { mails: mailsAbout(deps, user, asksFor, call.now) }),
      events: [
        ...(isUpdated ? events([AccountUpdated, { display_name, time_zone }]) : []),
        ...(asksFor === null ? [] : events([EmailChangeRequested])),
      ],
    })
    if (outcome !== 'conflict') return { body: meView(after) }
    if (asksFor !== null) await uncountMailTo(deps, asksFor)
    return 'conflict'
  })
}

/** Refuses a new address that has an account, or to which no mail may go now, and who does not know the password. */
async function admitAddress(
  deps: Editing,
  call: AuthCall,
  { user, patch, asksFor }: { user: User; patch: AccountPatch; asksFor: string },
): Promise<void> {
  if (patch.password === undefined) throw invalidField('password', 'is required with another email')
  await proveOwner(deps, call, user, { path: 'password', passwords: [patch.password] })
  // What decides is the unique address in the database, when it is confirmed.
  if (await deps.identity.store.isEmailTaken(asksFor)) throw emailTaken()
  const refusedUntil = await mailRefusedUntil(deps, call, asksFor)
  if (refusedUntil) {
    throw new DomainError(
      'auth.rate_limited',
      'Too many confirmation mails were requested, by this client or for this address.',
      { retryAfterSeconds: secondsUntil(refusedUntil, call.now) },
    )
  }
}

function mailsAbout({ ids }: Editing, user: User, asksFor: string, now: Date): Asked {
  const context = { now, newId: ids.uuid }
  const asking = accountMail('confirmation', { userId: user.id, address: asksFor }, context)
  if (!user.email || !user.emailConfirmedAt) return asking
  const telling = accountMail('address_change', { userId: user.id, address: user.email }, context)
  return {
    newNotifications: [...asking.newNotifications, ...telling.newNotifications],
    newDeliveries: [...asking.newDeliveries, ...telling.newDeliveries],
  }
}

/** What follows for notifications, unless the user has chosen a zone for them. */
async function movedZone(
  { preferences }: Editing,
  { id, timeZone }: User,
  now: Date,
): Promise<{ movedZone?: MovedZone }> {
  const { version, dailyDigestAt, timeZone: chosen } = (await preferences.get(id)).audience.preferences
  if (version === 0 || chosen !== null) return {}
  const next = dailyDigestAt === null ? null : nextDigestAt(dailyDigestAt, timeZone, now)
  return { movedZone: { version, nextDigestAt: next } }
}
