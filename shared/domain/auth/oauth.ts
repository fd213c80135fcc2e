import { z } from 'zod'
import { invalidField } from '../errors.ts'
import { SCOPES, type Scope } from '../scopes.ts'

/** A program as the document at its client_id says (OAuth Client ID Metadata Document). */
export interface OauthClient {
  id: string
  name: string
  redirectUris: readonly string[]
}

/** From the consent page to the program that exchanges the code. */
export const CODE_SECONDS = 60

const ClientDocument = z.object({
  client_id: z.string(),
  client_name: z.string().trim().min(1).max(100).optional(),
  redirect_uris: z.array(z.string().max(2048)).min(1).max(50),
  token_endpoint_auth_method: z.string().default('none'),
})

/** Throws `request.invalid` for a document that is not that of this client, or of one that would need a secret. */
export function clientOf(id: string, document: unknown): OauthClient {
  const { success, data } = ClientDocument.safeParse(document)
  if (!success || data.client_id !== id) {
    throw invalidField('client_id', 'must be the URL of a client metadata document that names it')
  }
  if (data.token_endpoint_auth_method !== 'none') {
    throw invalidField('client_id', 'must be of a public client: token_endpoint_auth_method none')
  }
  return { id, name: data.client_name ?? new URL(id).hostname, redirectUris: data.redirect_uris }
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/
export const isLoopback = (uri: string): boolean => URL.canParse(uri) && LOOPBACK.test(new URL(uri).hostname)

/** As it is registered, letter by letter; on this machine at any port, which a program takes as it finds it (RFC 8252 §7.3). */
export function isRegistered({ redirectUris }: OauthClient, uri: string): boolean {
  if (!URL.canParse(uri) || /^(javascript|data|vbscript):/i.test(uri) || uri.includes('#')) return false
  const anyPort = (text: string) => {
    if (!isLoopback(text)) return text
    const url = new URL(text)
    url.port = ''
    return url.href
  }
  return redirectUris.some((registered) => anyPort(registered) === anyPort(uri))
}

/** What a program asks its user for, once it is known who asks and where the answer goes. */
export const AuthorizationRequest = z.object({
  response_type: z.literal('code'),
  code_challenge: z.string().regex(/^[\w-]{43}$/),
  code_challenge_method: z.literal('S256'),
  scope: z.string().max(1000).default(''),
  state: z.string().max(2048).optional(),
  resource: z.string().max(2048).optional(),
})

/** By default everything but what ends the account, or takes all of it away. */
const USUAL = (Object.keys(SCOPES) as Scope[]).filter(
  (scope) => scope !== 'account:write' && scope !== 'account:export',
)

export function askedScopes(scope: string): Scope[] {
  const known = scope.split(' ').filter((each): each is Scope => Object.hasOwn(SCOPES, each))
  return known.length > 0 ? [...new Set(known)] : USUAL
}

/** What a code stands for. It is signed, kept nowhere, and good for the one session that it names. */
export const CodeClaims = z.object({
  sessionId: z.uuid(),
  userId: z.uuid(),
  /** Of the user: with another password it is another one. */
  userVersion: z.int(),
  clientId: z.string(),
  redirectUri: z.string(),
  challenge: z.string(),
  scopes: z.array(z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]])).min(1),
  expiresAt: z.int(),
})
export type CodeClaims = z.infer<typeof CodeClaims>

/** A refusal of the token endpoint (RFC 6749 §5.2). */
export class OauthError extends Error {
  readonly code: 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type' | 'invalid_target'
  constructor(code: OauthError['code'], message: string) {
    super(message)
    this.name = 'OauthError'
    this.code = code
  }
}
