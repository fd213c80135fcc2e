import { createHash } from 'node:crypto'
import type { IdentityStore } from '../app/auth/ports.ts'
import type { Actor } from '../app/ports.ts'
import { API_TOKEN, API_TOKEN_PREFIX } from '../domain/auth/api-token.ts'
import { DomainError } from '../domain/errors.ts'

export const isApiToken = (token: string): boolean => token.startsWith(API_TOKEN_PREFIX)

/** Whom a token of a program stands for: an agent on behalf of its user, with the scopes of the token and no others. */
export async function verifyApiToken(
  store: Pick<IdentityStore, 'useApiToken'>,
  token: string,
  now: Date,
): Promise<Actor & { exp: number }> {
  const digest = createHash('sha256').update(token).digest('base64url')
  const found = API_TOKEN.test(token) ? await store.useApiToken(digest, now) : null
  if (!found) {
    throw new DomainError(
      'auth.invalid_token',
      'The API token is unknown, expired or revoked; make another one.',
    )
  }
  const { id, userId, scopes, expiresAt, timeZone } = found
  return {
    userId,
    view: { type: 'agent', id, on_behalf_of: userId },
    timeZone,
    scopes,
    sessionId: id,
    exp: expiresAt.getTime() / 1000,
  }
}
