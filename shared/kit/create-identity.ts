import type { Identity, IdentityStore } from '../app/identity-ports.ts'
import type { Actor, Clock, Ids } from '../app/ports.ts'
import { createAuthenticator } from './authenticate.ts'
import type { GetJson, OidcIssuer } from './oidc.ts'
import { createPasswords, type ScryptCost } from './passwords.ts'
import { createKeyRing } from './signing-keys.ts'
import { createTokens } from './tokens.ts'

export interface IdentityOptions {
  store: IdentityStore
  clock: Clock
  ids: Ids
  /** What our own tokens name as `iss` and `aud`. */
  issuer: string
  audience: string
  oidc?: OidcIssuer | undefined
  fetch: GetJson
  onNewcomer?: () => void
  scryptCost?: ScryptCost
}

export interface IdentityParts {
  identity: Identity
  authenticate: (token: string) => Promise<Actor>
  /** Makes or loads the signing keys, at start, so that the first request does not have to. */
  prepare: () => Promise<void>
}

/** Puts identity together for `Deps`. Nothing is read or written before it is used. */
export function createIdentity(options: IdentityOptions): IdentityParts {
  const { store, clock, ids, issuer, audience, oidc } = options
  if (oidc?.issuer === issuer) {
    throw new Error(`The external issuer must not have the name of our own, ${issuer}.`)
  }
  const keys = createKeyRing({ store, clock })
  return {
    identity: {
      store,
      passwords: createPasswords(ids, options.scryptCost),
      tokens: createTokens({ clock, ids, keys }, { issuer, audience }),
    },
    authenticate: createAuthenticator({ ...options, keys }),
    prepare: async () => void (await keys.signing()),
  }
}
