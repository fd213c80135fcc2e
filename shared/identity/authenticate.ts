import type { Context } from 'hono'
import { decodeJwt } from 'jose'
import type { IdentityStore, OpenSessions } from '../app/auth/ports.ts'
import type { Actor, Authenticate, Clock, Ids } from '../app/ports.ts'
import { MINUTE_MS } from '../domain/durations.ts'
import { DomainError } from '../domain/errors.ts'
import { draftEvent } from '../domain/draft-event.ts'
import { UserRegistered } from '../domain/events.ts'
import { timeZone } from '../domain/fields.ts'
import { accessOf, sessionEnded } from '../domain/auth/identity-session.ts'
import { FULL_SCOPE, NEW_USER } from '../domain/auth/identity.ts'
import { createLru } from '../domain/lru.ts'
import { isApiToken, verifyApiToken } from './api-tokens.ts'
import { createOidcVerifier, type ExternalClaims, type GetJson, type OidcIssuer } from './oidc.ts'
import type { KeyRing } from './signing-keys.ts'
import { invalidToken, verifyOwnToken, type TokenAddressee } from './tokens.ts'

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1). `alternative` ends the sentence that asks for it. */
export function bearerToken(c: Context, alternative = ''): string {
  const header = c.req.header('authorization')
  if (header === undefined)
    throw new DomainError('auth.required', `Send an access token as Authorization: Bearer …${alternative}`)
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(header)?.[1]
  if (!token) throw new DomainError('auth.invalid_token', 'The Authorization header has no bearer token.')
  return token
}

export interface AuthenticatorOptions extends TokenAddressee {
  clock: Clock
  ids: Ids
  keys: Pick<KeyRing, 'verifying'>
  store: Pick<IdentityStore, 'userOf' | 'useApiToken'>
  sessions: Pick<OpenSessions, 'isOpen'>
  oidc?: OidcIssuer | undefined
  fetch: GetJson
  /** Called when a user was seen for the first time, and there may be an event to publish. */
  onNewcomer?: () => void
}

const MAX_TOKEN_LENGTH = 8192
const REMEMBERED_TOKENS = 10_000
/** A token that was verified is believed for this long at most, so that a withdrawn key takes effect. */
const REMEMBER_MS = 5 * MINUTE_MS

/**
 * Who a token stands for: our own access tokens, API tokens, and those of the external issuer if there is one. The token decides
 * by its prefix or its `iss` whose rules it is held to, never how strict they are. `auth.invalid_token` for everything else, and for a
 * token whose session has ended, or its account. An API token is its own session: revoked, it has ended.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { clock, keys, sessions, issuer, audience, oidc } = options
  const verifyExternal = oidc && createOidcVerifier(oidc, options.fetch)
  const remembered = createLru<{ actor: Actor; untilMs: number }>(REMEMBERED_TOKENS)

  async function own(token: string, now: Date): Promise<Actor & { exp: number }> {
    const claims = await verifyOwnToken(token, keys, { issuer, audience, now })
    const scopes = claims.scope.split(' ')
    const { sub: userId, sid: sessionId, zoneinfo: timeZone, client_id: clientId, exp } = claims
    const known = { userId, timeZone, scopes, sessionId, exp }
    if (clientId === undefined) return { ...known, view: { type: 'user', id: userId } }
    return { ...known, view: { type: 'agent', id: sessionId, on_behalf_of: userId }, clientId }
  }

  async function verify(token: string, now: Date, admitLookup?: () => void): Promise<Actor> {
    if (token.length > MAX_TOKEN_LENGTH) throw invalidToken()
    if (isApiToken(token)) admitLookup?.()
    const actor = await (isApiToken(token)
      ? verifyApiToken(options.store, token, now)
      : verifyExternal && issuerOf(token) === oidc.issuer
        ? external(options, oidc.issuer, await verifyExternal(token, now))
        : own(token, now))
    remembered.set(token, { actor, untilMs: Math.min(actor.exp * 1000, now.getTime() + REMEMBER_MS) })
    return actor
  }

  return async function authenticate(token, admitLookup) {
    const now = clock.now()
    const known = remembered.get(token)
    const actor = known && known.untilMs > now.getTime() ? known.actor : await verify(token, now, admitLookup)
    const isOpen = sessions.isOpen(accessOf(actor), actor.userId, now)
    if (isOpen === true || (await isOpen)) return actor
    throw sessionEnded()
  }
}

/** Our user for an external subject. What scopes mean elsewhere is not ours to know: a person gets what is theirs. */
async function external(
  { store, ids, clock, onNewcomer }: AuthenticatorOptions,
  issuer: string,
  { subject, zoneinfo, email, issuedAt, exp }: ExternalClaims,
): Promise<Actor & { exp: number }> {
  const now = clock.now()
  const id = ids.uuid()
  const zone = timeZone.safeParse(zoneinfo)
  const newcomer = {
    id,
    email: email ?? null,
    timeZone: zone.success ? zone.data : 'UTC',
    createdAt: now,
    emailConfirmedAt: email ? now : null,
    confirmationSentAt: null,
    ...NEW_USER,
  }
  const registered = draftEvent(UserRegistered, {
    id: ids.uuid(),
    subject: `user/${id}`,
    time: now,
    trace: null,
    data: { actor: { type: 'user', id } },
  })
  const user = await store.userOf(issuer, subject, {
    user: newcomer,
    issuedAt,
    tellsEmail: email !== undefined,
    events: [registered],
  })
  if (!user) throw sessionEnded()
  if (user.id === id) onNewcomer?.()
  return {
    userId: user.id,
    view: { type: 'user', id: user.id },
    timeZone: user.timeZone,
    scopes: [FULL_SCOPE],
    exp,
  }
}

/** Whom the token claims to come from; not a reason to believe it. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch (error) {
    throw invalidToken(error)
  }
}
