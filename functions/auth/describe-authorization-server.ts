import {
  AuthorizationServer,
  authorizationServer,
  oauthIssuer,
} from '../../shared/domain/auth/oauth-metadata.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /.well-known/oauth-authorization-server',
  summary: 'How programs ask for tokens (RFC 8414)',
  auth: 'none',
  uses: [],
  cache: 'public, max-age=300',
  output: AuthorizationServer,
  handle: async ({ deps }) => ({ body: authorizationServer(oauthIssuer(deps.settings)) }),
})
