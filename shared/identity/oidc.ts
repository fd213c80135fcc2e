import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { DomainError } from '../domain/errors.ts'
import { MailAddress } from '../domain/auth/identity.ts'
import { invalidToken, verified } from './tokens.ts'

/** An issuer whose tokens are accepted beside our own (OpenID Connect Core 1.0). */
export interface OidcIssuer {
  issuer: string
  audience: string
  /** `typ` of its access tokens. `JWT` says of no token what it is for, so its claims have to. */
  tokenType: string
  /** Where its keys are; found by discovery when left out. */
  jwksUrl?: string | undefined
}

/** All that is asked of fetch: a GET with a deadline that follows no redirect. */
export type GetJson = (
  url: string,
  init: { method: 'GET'; signal: AbortSignal; redirect: 'manual'; headers: Headers },
) => Promise<Response>

export interface ExternalClaims {
  subject: string
  /** The `zoneinfo` claim (OIDC Core §5.1), whatever it holds. */
  zoneinfo: unknown
  /** The address, if the issuer says that it is verified (`email`, `email_verified`); null if not; undefined: it says nothing. */
  email: string | null | undefined
  /** By our clock, at the earliest; null when it does not say. */
  issuedAt: Date | null
  /** Expiry in seconds since 1970. */
  exp: number
}

const CLOCK_TOLERANCE_SECONDS = 5
const TIMEOUT_MS = 3_000

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })
/** A subject is at most 255 ASCII characters (OIDC Core §2). */
const Subject = z.string().regex(/^[\x20-\x7e]{1,255}$/)

/**
 * Checks access tokens of an external issuer: RS256 signature by its published keys, type, issuer, audience and expiry. Keys are
 * kept for ten minutes and looked up again for an unknown key id, at most every 30 seconds. `auth.invalid_token` for
 * the token's faults, `service.unavailable` when the issuer's keys cannot be had.
 */
export function createOidcVerifier(oidc: OidcIssuer, fetch: GetJson) {
  const isUntyped = UNTYPED.test(oidc.tokenType)
  let keySet: Promise<JWTVerifyGetKey> | undefined

  async function findKeySet(): Promise<JWTVerifyGetKey> {
    const url = oidc.jwksUrl ?? (await discover(oidc.issuer, fetch))
    return createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, [customFetch]: fetch })
  }

  return async function verifyExternalToken(token: string, now: Date): Promise<ExternalClaims> {
    // A failed discovery is forgotten, so that the next token tries again.
    keySet ??= findKeySet().catch((error: unknown) => {
      keySet = undefined
      throw error
    })
    try {
      const { payload: claims, protectedHeader } = await verified(token, await keySet, {
        issuer: oidc.issuer,
        audience: oidc.audience,
        now,
        ...(!isUntyped && { typ: oidc.tokenType }),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      if (isUntyped && !(UNTYPED.test(protectedHeader.typ ?? 'JWT') && isForAccess(claims)))
        throw invalidToken()
      const subject = Subject.safeParse(claims.sub)
      if (!subject.success) throw invalidToken(subject.error)
      const { zoneinfo, email, email_verified: isVerified, iat, exp } = claims
      const issuedAt = iat === undefined ? null : new Date((iat - CLOCK_TOLERANCE_SECONDS) * 1000)
      return { subject: subject.data, zoneinfo, email: emailOf(email, isVerified), issuedAt, exp: exp! }
    } catch (error) {
      if (error instanceof DomainError) throw error
      throw new DomainError('service.unavailable', "Cannot fetch the issuer's signing keys.", {
        cause: error,
        retryAfterSeconds: 5,
      })
    }
  }
}

const UNTYPED = /^(application\/)?jwt$/i

/**
 * Whether a token without a type of its own is an access token. Cognito says so in `token_use` and Keycloak in a claim `typ`. Of
 * others it has to say what may be done with it (`scope`, or `scp` at Entra and Okta), and nothing that belongs to an ID token
 * (OIDC Core §2, §3.1.3.6, §3.3.2.11) or a logout token (OIDC Back-Channel Logout §2.4).
 */
function isForAccess(claims: JWTPayload): boolean {
  if (claims.token_use !== undefined) return claims.token_use === 'access'
  if (claims.typ !== undefined) return claims.typ === 'Bearer'
  const isScoped = [claims.scope, claims.scp].some((scope) => Scopes.safeParse(scope).success)
  return isScoped && !OF_OTHER_TOKENS.some((name) => claims[name] !== undefined)
}

/** A text (RFC 6749 §3.3), or a list. */
const Scopes = z.union([z.string().min(1), z.array(z.string()).min(1)])
const OF_OTHER_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']

/** OIDC Core §5.1: `email_verified` is a boolean. What is no address we could mail to is none. */
function emailOf(email: unknown, isVerified: unknown): string | null | undefined {
  if (email === undefined) return undefined
  return isVerified === true ? (MailAddress.safeParse(email).data ?? null) : null
}

/** The issuer's jwks_uri (OIDC Discovery 1.0 §4); an answer that names another issuer is refused (§4.3). */
async function discover(issuer: string, fetch: GetJson): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const headers = new Headers({ accept: 'application/json' })
  const answer = await fetch(url, { method: 'GET', signal, redirect: 'manual', headers })
  if (answer.status !== 200) throw new errors.JOSEError(`${url} answered ${answer.status}`)
  const found = Discovery.parse(await answer.json())
  if (found.issuer !== issuer) throw new errors.JOSEError(`${url} speaks for another issuer`)
  return found.jwks_uri
}
