import { changedUser, type User } from '../../domain/auth/identity.ts'
import { DomainError } from '../../domain/errors.ts'
import { EmailChanged, EmailConfirmed } from '../../domain/events.ts'
import { commitIdentity, eventsAbout, retryIdentity, userView, type Signing } from './auth-events.ts'
import type { AuthCall, IdentityChange } from './ports.ts'
import type { Answer } from '../ports.ts'
import { emailTaken } from './register-user.ts'

/**
 * Confirms the address that the token of a mail speaks of; from then on mail goes there. One that the user has asked for in the
 * place of another becomes theirs by that. Doing it again changes nothing. `auth.invalid_link` for a token that is none of ours,
 * has expired, or speaks of an address that is not, or is no longer, the user's; `auth.email_taken` for one that has become
 * another account's.
 */
export function confirmAddress(deps: Signing, call: AuthCall, token: string): Promise<Answer<null>> {
  return retryIdentity(async () => {
    const link = await deps.identity.links.readConfirmation(token)
    const user = link && link.until > call.now ? await deps.identity.store.findUser(link.userId) : null
    if (!link || !user) throw invalidLink()
    const isNew = user.newEmail !== null && link.isOf(user.newEmail)
    if (!isNew && (user.email === null || !link.isOf(user.email))) throw invalidLink()
    if (!isNew && user.emailConfirmedAt) return { body: null }
    const events = eventsAbout(deps, call, user.id, userView(user.id))
    const outcome = await commitIdentity(deps, {
      userId: user.id,
      at: call.now,
      ...(isNew ? replacing(user, call.now) : confirming(user, call.now)),
      events: events([isNew ? EmailChanged : EmailConfirmed]),
    })
    if (outcome === 'email_taken') throw emailTaken()
    return outcome === 'conflict' ? 'conflict' : { body: null }
  })
}

const confirming = (user: User, now: Date): Partial<IdentityChange> => ({
  changedUser: changedUser(user, { emailConfirmedAt: now }),
})

/** Links to set a password lie in the mail of the old address. */
const replacing = (user: User, now: Date): Partial<IdentityChange> => ({
  changedUser: changedUser(user, {
    email: user.newEmail,
    emailConfirmedAt: now,
    newEmail: null,
    newEmailAt: null,
  }),
  voidedResets: user.id,
})

export const invalidLink = (): DomainError =>
  new DomainError('auth.invalid_link', 'This link is invalid or has expired; request another mail.')
