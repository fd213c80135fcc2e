import type { Identity, IdentityStore, SessionSignal } from '../app/auth/ports.ts'
import type { Authenticate, Clock, Ids, StartTimer } from '../app/ports.ts'
import { createAuthenticator } from './authenticate.ts'
import type { GetJson, OidcIssuer } from './oidc.ts'
import { createOpenSessions } from './open-sessions.ts'
import { createPasswords, type ScryptCost } from './passwords.ts'
import { createSignedLinks } from './signed-links.ts'
import { createKeyRing } from './signing-keys.ts'
import { createTokens } from './tokens.ts'

export interface IdentityOptions {
  store: IdentityStore
  signal: SessionSignal
  clock: Clock
  startTimer: StartTimer
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
  authenticate: Authenticate
  /** Makes or loads the signing keys, at start, so that the first request does not have to. */
  prepare: () => Promise<void>
}

/** Puts identity together for `Deps`. Nothing is read or written before it is used. */
export function createIdentity(options: IdentityOptions): IdentityParts {
  const { store, clock, ids, issuer, audience, oidc } = options
  if (oidc?.issuer === issuer) {
    throw new Error(`OIDC_ISSUER must differ from the issuer of Daybook itself, ${issuer}.`)
  }
  const keys = createKeyRing({ store, clock })
  const sessions = createOpenSessions(options)
  return {
    identity: {
      store,
      sessions,
      passwords: createPasswords(ids, options.scryptCost),
      tokens: createTokens({ clock, ids, keys }, { issuer, audience }),
      links: createSignedLinks({ store, ids, clock }),
    },
    authenticate: createAuthenticator({ ...options, keys, sessions }),
    prepare: async () => void (await keys.signing()),
  }
}
