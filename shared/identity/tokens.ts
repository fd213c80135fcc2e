import { errors, jwtVerify, SignJWT, type JWTVerifyGetKey, type JWTVerifyResult } from 'jose'
import { z } from 'zod'
import type { Tokens } from '../app/auth/ports.ts'
import type { Clock, Ids } from '../app/ports.ts'
import { DomainError } from '../domain/errors.ts'
import { ACCESS_TOKEN_SECONDS } from '../domain/auth/identity.ts'
import type { KeyRing } from './signing-keys.ts'

/** Marks access tokens, so that no other token of the same issuer passes for one (RFC 9068 §2.1). */
const TYPE = 'at+jwt'
/** The allow-list: neither `none` nor a key of the wrong kind gets as far as a signature check (RFC 8725 §3.1). */
const ALGORITHMS = ['RS256']

export interface TokenAddressee {
  issuer: string
  audience: string
}

const OwnClaims = z.object({
  sub: z.uuid(),
  exp: z.number(),
  scope: z.string(),
  zoneinfo: z.string(),
  sid: z.uuid(),
  client_id: z.string().optional(),
})

/** Signs and lists keys for the use cases, with the newest key of the ring. */
export function createTokens(
  deps: { clock: Clock; ids: Ids; keys: KeyRing },
  { issuer, audience }: TokenAddressee,
): Tokens {
  return {
    async issue({ userId, timeZone, scopes, sessionId, clientId = null }) {
      const { kid, key } = await deps.keys.signing()
      const now = Math.floor(deps.clock.now().getTime() / 1000)
      return new SignJWT({
        scope: scopes.join(' '),
        zoneinfo: timeZone,
        sid: sessionId,
        ...(clientId !== null && { client_id: clientId }),
      })
        .setProtectedHeader({ alg: 'RS256', kid, typ: TYPE })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(deps.ids.uuid())
        .setIssuedAt(now)
        .setExpirationTime(now + ACCESS_TOKEN_SECONDS)
        .sign(key)
    },
    publicKeys: async () => ({ keys: await deps.keys.publicKeys() }),
  }
}

/** The claims of one of our own access tokens; `auth.invalid_token` for anything else. */
export async function verifyOwnToken(
  token: string,
  keys: Pick<KeyRing, 'verifying'>,
  { now, ...addressee }: TokenAddressee & { now: Date },
): Promise<z.infer<typeof OwnClaims>> {
  const keyOf: JWTVerifyGetKey = async ({ kid }) => {
    const key = typeof kid === 'string' ? await keys.verifying(kid) : undefined
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
  const { payload } = await verified(token, keyOf, { ...addressee, now, typ: TYPE, clockTolerance: 0 })
  const parsed = OwnClaims.safeParse(payload)
  if (!parsed.success) throw invalidToken(parsed.error)
  return parsed.data
}

/** Signature, issuer, audience and times of a token. Trouble in getting at the key is passed on as it is. */
export async function verified(
  token: string,
  keyOf: JWTVerifyGetKey,
  want: TokenAddressee & { now: Date; typ?: string; clockTolerance: number },
): Promise<JWTVerifyResult> {
  const { now, ...options } = want
  try {
    return await jwtVerify(token, keyOf, {
      ...options,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'exp'],
      currentDate: now,
    })
  } catch (error) {
    if (isTokensFault(error)) throw invalidToken(error)
    throw error
  }
}

/** jose's errors about the token itself; the others (ERR_JWKS_TIMEOUT, ERR_JWKS_INVALID …) are about its issuer. */
const FAULTS = new Set<string>([
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
])

const isTokensFault = (error: unknown): boolean => error instanceof errors.JOSEError && FAULTS.has(error.code)

export function invalidToken(cause?: unknown): DomainError {
  const detail = cause instanceof errors.JWTExpired ? 'has expired; refresh it' : 'is invalid'
  return new DomainError('auth.invalid_token', `The access token ${detail}.`, { cause })
}
