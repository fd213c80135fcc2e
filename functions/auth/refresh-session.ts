import { refreshSession } from '../../shared/app/auth/refresh-session.ts'
import { RefreshInput, SignedIn } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/refresh',
  summary: 'Exchange a refresh token for a new refresh token and access token',
  auth: 'none',
  uses: ['identity', 'events'],
  body: RefreshInput,
  output: SignedIn,
  refuses: ['auth.invalid_token', 'service.unavailable'],
  handle: ({ body, call, deps }) => refreshSession(deps, call, body.refresh_token),
})
