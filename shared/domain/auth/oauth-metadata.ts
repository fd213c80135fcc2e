import { z } from 'zod'
import { DomainError } from '../errors.ts'
import { SCOPES } from '../scopes.ts'

/** Clients compare these texts letter by letter, so they follow from one setting. */
export const mcpUrl = (issuer: string): string => `${issuer}/mcp`
export const resourceMetadataUrl = (issuer: string): string =>
  `${issuer}/.well-known/oauth-protected-resource/mcp`

/** Without PUBLIC_URL nobody knows by which name clients come. */
export const hasOauth = (issuer: string): boolean => /^https?:/.test(issuer)

export function oauthIssuer({ issuer }: { issuer: string }): string {
  if (hasOauth(issuer)) return issuer.replace(/\/$/, '')
  throw new DomainError('request.not_found', 'OAuth needs PUBLIC_URL, which is not set; use an API token.')
}

/** RFC 8414. */
export const AuthorizationServer = z
  .object({
    issuer: z.string(),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    jwks_uri: z.string(),
    scopes_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    code_challenge_methods_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    client_id_metadata_document_supported: z.boolean(),
    authorization_response_iss_parameter_supported: z.boolean(),
  })
  .meta({ id: 'AuthorizationServer' })

export const authorizationServer = (issuer: string): z.infer<typeof AuthorizationServer> => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  scopes_supported: Object.keys(SCOPES),
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  client_id_metadata_document_supported: true,
  authorization_response_iss_parameter_supported: true,
})

/** RFC 9728. */
export const ProtectedResource = z
  .object({
    resource: z.string(),
    authorization_servers: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.string()),
    resource_name: z.string(),
  })
  .meta({ id: 'ProtectedResource' })

export const protectedResource = (issuer: string): z.infer<typeof ProtectedResource> => ({
  resource: mcpUrl(issuer),
  authorization_servers: [issuer],
  scopes_supported: Object.keys(SCOPES),
  bearer_methods_supported: ['header'],
  resource_name: 'Daybook',
})
