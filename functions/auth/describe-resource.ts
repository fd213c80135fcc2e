import { ProtectedResource, protectedResource, oauthIssuer } from '../../shared/domain/auth/oauth-metadata.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /.well-known/oauth-protected-resource',
  also: ['/.well-known/oauth-protected-resource/mcp'],
  summary: 'Who issues tokens for /mcp (RFC 9728)',
  auth: 'none',
  uses: [],
  cache: 'public, max-age=300',
  output: ProtectedResource,
  handle: async ({ deps }) => ({ body: protectedResource(oauthIssuer(deps.settings)) }),
})
