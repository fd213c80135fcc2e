import type { Context } from 'hono'
import { DomainError } from '../domain/errors.ts'

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1). */
export function bearerToken(c: Context): string {
  const header = c.req.header('authorization')
  if (header === undefined)
    throw new DomainError('auth.required', 'Send an access token as Authorization: Bearer …')
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(header)?.[1]
  if (!token) throw new DomainError('auth.invalid_token', 'The Authorization header holds no bearer token.')
  return token
}
