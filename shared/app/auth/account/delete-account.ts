import { refuseAgents } from '../../../domain/auth/api-token.ts'
import { AccountDeleted } from '../../../domain/events.ts'
import { invalidField } from '../../../domain/errors.ts'
import type { User } from '../../../domain/auth/identity.ts'
import { commitIdentity, eventsAbout, retryIdentity, type Signing } from '../auth-events.ts'
import type { AuthCall, IdentityChange } from '../ports.ts'
import type { Actor, Answer, Deps } from '../../ports.ts'
import { eraseAccount } from './erase-accounts.ts'
import { hasPassword, proveOwner } from './owner.ts'

/** What most accounts have is gone with the answer; what is more the hourly purge removes. */
const BATCHES_AT_ONCE = 30

/**
 * Deletes the account: from its commit on nobody signs in to it or writes for it, and its address is free. The event that tells
 * of it, the last one, is all that is kept. An account that has a password is deleted by who knows it. Doing it again changes
 * nothing.
 */
export async function deleteAccount(
  deps: Signing & Pick<Deps, 'accounts'>,
  call: AuthCall,
  actor: Actor,
  password: string | undefined,
): Promise<Answer<null>> {
  refuseAgents(actor)
  const { userId, view } = actor
  const { store } = deps.identity
  await retryIdentity(async () => {
    const user = await store.findUser(userId)
    if (!user) return undefined
    const provedPassword = await proveIfAny(deps, call, { user, password }).catch(async (error: unknown) => {
      if (await store.findUser(userId)) throw error
      return null // another request has deleted it meanwhile
    })
    // Where from and by which program is not for who looks at what is left.
    const events = eventsAbout(deps, { ...call, clientAddress: null, userAgent: null }, userId, view)
    const outcome = await commitIdentity(deps, {
      userId,
      at: call.now,
      ...(provedPassword && { provedPassword }),
      deletedUser: userId,
      events: events([AccountDeleted]),
    })
    return outcome === 'conflict' ? 'conflict' : undefined
  })
  try {
    await eraseAccount(deps, userId, BATCHES_AT_ONCE)
  } catch (err) {
    deps.log.warn({ err }, 'failed to remove all rows of a deleted account; the purge goes on')
  }
  return { body: null }
}

async function proveIfAny(
  deps: Signing,
  call: AuthCall,
  { user, password }: { user: User; password: string | undefined },
): Promise<IdentityChange['provedPassword'] | null> {
  if (!(await hasPassword(deps, call, user))) return null
  if (password === undefined) throw invalidField('password', 'is required')
  const { passwordHash } = await proveOwner(deps, call, user, { path: 'password', passwords: [password] })
  return { userId: user.id, passwordHash }
}
