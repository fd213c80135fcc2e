import { KeySet } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /.well-known/jwks.json',
  summary: 'Public keys that verify access tokens (RFC 7517)',
  auth: 'none',
  uses: ['identity'],
  output: KeySet,
  refuses: ['service.unavailable'],
  // Nothing secret here; whoever checks our tokens looks again when it meets a key id it does not know.
  cache: 'public, max-age=300',
  handle: async ({ deps }) => ({ body: await deps.identity.tokens.publicKeys() }),
})
