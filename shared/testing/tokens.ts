import type { Actor } from '../app/ports.ts'
import { FULL_SCOPE } from '../domain/identity.ts'
import { createAuthenticator } from '../kit/authenticate.ts'
import { createKeyRing } from '../kit/signing-keys.ts'
import { systemClock, systemIds } from '../kit/system.ts'
import { createTokens } from '../kit/tokens.ts'
import { createMemoryIdentityStore } from './memory-identity-store.ts'

const addressee = { issuer: 'urn:daybook:test', audience: 'daybook' }
const store = createMemoryIdentityStore()
/** One key per test process, made when it is first needed. */
const keys = createKeyRing({ store, clock: systemClock })
const tokens = createTokens({ clock: systemClock, ids: systemIds, keys }, addressee)

/** A person with full rights, for use cases and functions that are given an actor. */
export const testActor = (over: Partial<Actor> = {}): Actor => {
  const userId = over.userId ?? systemIds.uuid()
  return { userId, view: { type: 'user', id: userId }, timeZone: 'UTC', scopes: [FULL_SCOPE], ...over }
}

/** The Authorization header of a user: `Bearer` and a really signed token, which `authenticateTest` accepts. */
export const bearerFor = async (userId: string, over: Partial<Actor> = {}): Promise<string> =>
  `Bearer ${await tokens.issue(testActor({ ...over, userId }))}`

/** `Deps.authenticate` for tests without identity: the real checks on tokens of {@link bearerFor}. */
export const authenticateTest = createAuthenticator({
  ...{ ...addressee, clock: systemClock, ids: systemIds, keys, store, fetch },
})
