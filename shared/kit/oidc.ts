import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { DomainError } from '../domain/errors.ts'
import { invalidToken, verified } from './tokens.ts'

/** An issuer whose tokens are accepted beside our own (OpenID Connect Core 1.0). */
export interface OidcIssuer {
  issuer: string
  audience: string
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
  /** Expiry in seconds since 1970. */
  exp: number
}

const CLOCK_TOLERANCE_SECONDS = 5
const TIMEOUT_MS = 3_000

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })
/** A subject is at most 255 ASCII characters (OIDC Core §2). */
const Subject = z.string().regex(/^[\x20-\x7e]{1,255}$/)

/**
 * Checks tokens of an external issuer: RS256 signature by its published keys, issuer, audience and expiry. Keys are
 * kept for ten minutes and looked up again for an unknown key id, at most every 30 seconds. `auth.invalid_token` for
 * the token's faults, `service.unavailable` when the issuer's keys cannot be had.
 */
export function createOidcVerifier(oidc: OidcIssuer, fetch: GetJson) {
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
      const claims = await verified(token, await keySet, {
        ...{ issuer: oidc.issuer, audience: oidc.audience, now, clockTolerance: CLOCK_TOLERANCE_SECONDS },
      })
      const subject = Subject.safeParse(claims.sub)
      if (!subject.success) throw invalidToken(subject.error)
      return { subject: subject.data, zoneinfo: claims['zoneinfo'], exp: claims.exp! }
    } catch (error) {
      if (error instanceof DomainError) throw error
      throw new DomainError('service.unavailable', 'The keys of the token issuer cannot be had just now.', {
        ...{ cause: error, retryAfterSeconds: 5 },
      })
    }
  }
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
