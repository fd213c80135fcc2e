import { DomainError } from '../../domain/errors.ts'
import { LoginFailed } from '../../domain/events.ts'
import {
  after,
  networkOf,
  failureCounts,
  failureTally,
  isFamiliar,
  OF_ONE_CLIENT,
  secondsUntil,
  waitBeforeLogin,
  type LoginKeys,
} from '../../domain/auth/identity-throttle.ts'
import type { User } from '../../domain/auth/identity.ts'
import { tooManyAttempts } from './admit-attempt.ts'
import { commitIdentity, eventsAbout, NOBODY, type Signing } from './auth-events.ts'
import type { AuthCall, Visitor } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'

/** Whose password it is said to be: that of an address, and of the account with this id where one is named. */
export interface Claimed {
  email: string
  userId?: string
}

export interface Proof {
  user: User
  passwordHash: string
  keys: LoginKeys
  /** Which of the passwords is the right one. */
  right: number
}

/**
 * Finds the first right one among passwords; when there is none, each of them counts as a failure. `auth.invalid_credentials`
 * says the same, after the same hash, for an unknown address and for a wrong password; `auth.rate_limited` when there were too
 * many of either. To be called within admitAttempt.
 */
export async function provePassword(
  deps: Signing,
  call: AuthCall,
  claimed: Claimed,
  passwords: readonly [string, ...string[]],
): Promise<Proof> {
  const client = networkOf(call.clientAddress)
  const keys = loginKeys(claimed.email, client)
  const look = async () => {
    const login = await deps.identity.store.loadLogin(claimed, Object.values(keys), call.now)
    const wait = waitBeforeLogin(keys, login.counts, call.now, passwords.length)
    if (wait !== null) throw tooManyAttempts(wait.seconds, wait.limit)
    return login
  }
  const { counts } = await look() // who has to wait takes nobody's turn
  const visitor: Visitor = { lane: isFamiliar(keys, counts) ? 'known' : 'unknown', client }
  const { user, proof } = await deps.identity.passwords.withConcurrencyLimit(visitor, async (isRight) => {
    const { user, passwordHash } = await look()
    for (const [right, password] of passwords.entries()) {
      if ((await isRight(password, passwordHash)) && user && passwordHash !== null)
        return { user, proof: { user, passwordHash, keys, right } }
    }
    for (const _ of passwords) await countFailure(deps, call, user, keys)
    return { user, proof: null }
  })
  if (proof) return proof
  // Not within the turn, because it waits for the user's row.
  for (const _ of passwords) await tellFailure(deps, call, user, keys)
  throw wrongCredentials()
}

/**
 * What a secret other than a password leads to. One that leads nowhere counts as a failure of the client, which is refused as
 * provePassword says, whatever it shows, when there were too many.
 */
export async function findBySecret<T>(
  { identity: { store } }: Pick<Signing, 'identity'>,
  { clientAddress, now }: AuthCall,
  find: () => Promise<T | null>,
): Promise<T | null> {
  const { count, windowMs } = OF_ONE_CLIENT
  const failure = { key: failuresOf(networkOf(clientAddress)), resetsAt: after(now, windowMs) }
  const refusedUntil = await store.spentUntil(count, failure.key, now)
  if (refusedUntil) throw tooManyAttempts(secondsUntil(refusedUntil, now), count)
  const found = await find()
  if (found === null) await store.countUpTo(count, failure, now)
  return found
}

const countFailure = (
  deps: Signing,
  { now: at }: AuthCall,
  user: User | null,
  keys: LoginKeys,
): Promise<unknown> =>
  commitIdentity(deps, { userId: null, at, counts: failureCounts(keys, at, user?.id), events: [] })

async function tellFailure(deps: Signing, call: AuthCall, user: User | null, keys: LoginKeys): Promise<void> {
  // An event has an owner; an address that is nobody's has none, so that failure is only in the log of refusals.
  const events = user ? eventsAbout(deps, call, user.id, NOBODY) : () => []
  await commitIdentity(deps, {
    userId: user?.id ?? null,
    at: call.now,
    ...failureTally(keys, call.now, user?.id),
    events: events([LoginFailed, { reason: 'wrong_password', count: 1 }]),
  })
}

export const wrongCredentials = (): DomainError =>
  new DomainError('auth.invalid_credentials', 'Wrong email or password.')

const failuresOf = (client: string): string => digestOf(`failures ${client}`)

export const loginKeys = (email: string, client: string): LoginKeys => ({
  accountAndClient: digestOf(`${email} ${client}`),
  account: digestOf(email),
  client: failuresOf(client),
  familiar: digestOf(`familiar ${email} ${client}`),
  reported: digestOf(`reported ${email}`),
})
