import { KeySet } from '../../shared/domain/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /.well-known/jwks.json',
  summary: 'Public keys of our access tokens (RFC 7517)',
  auth: 'none',
  output: KeySet,
  refuses: ['service.unavailable'],
  handle: async ({ deps, context }) => {
    // Nothing secret here; whoever checks our tokens looks again when it meets a key id it does not know.
    context.header('cache-control', 'public, max-age=300')
    return { body: await deps.identity.tokens.publicKeys() }
  },
})
