import { DomainError } from '../../../domain/errors.ts'
import type { User } from '../../../domain/auth/identity.ts'
import { accountGone } from '../../commit-decision.ts'
import { admitAttempt } from '../admit-attempt.ts'
import type { Signing } from '../auth-events.ts'
import type { AuthCall } from '../ports.ts'
import { provePassword, type Proof } from '../prove-password.ts'
import type { Actor, Deps } from '../../ports.ts'

/** The account of who asks, as it is now. */
export async function findOwner(deps: Pick<Deps, 'identity'>, { userId }: Actor): Promise<User> {
  const user = await deps.identity.store.findUser(userId)
  if (!user) throw accountGone()
  return user
}

/**
 * Has who asks show a password of the account, in the field `path`: a token may have been left lying about. It counts like
 * an attempt to sign in. `auth.no_password` for an account that has none.
 */
export async function proveOwner(
  deps: Signing,
  call: AuthCall,
  user: User,
  { path, passwords }: { path: string; passwords: readonly [string, ...string[]] },
): Promise<Proof> {
  const { email, id: userId } = user
  if (email === null || !(await hasPassword(deps, call, user))) throw noPassword()
  try {
    return await admitAttempt(deps, call, () => provePassword(deps, call, { email, userId }, passwords))
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'auth.invalid_credentials') throw error
    throw new DomainError('auth.wrong_password', `${path}: is not the password of this account`, {
      errors: [{ path, message: 'is not the password of this account' }],
    })
  }
}

export async function hasPassword(
  { identity }: Pick<Deps, 'identity'>,
  { now }: AuthCall,
  { email, id: userId }: User,
): Promise<boolean> {
  if (email === null) return false
  return (await identity.store.loadLogin({ email, userId }, [], now)).user !== null
}

const noPassword = (): DomainError =>
  new DomainError('auth.no_password', 'This account has no password here: an external issuer signs it in.')
