import { refreshSession } from '../../shared/app/refresh-session.ts'
import { RefreshInput, SignedIn } from '../../shared/domain/identity.ts'
import { authCall } from '../../shared/kit/client.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

export default noStore(
  httpFunction({
    route: 'POST /api/auth/refresh',
    summary: 'Exchange a refresh token for the next one and a fresh access token',
    auth: 'none',
    body: RefreshInput,
    output: SignedIn,
    refuses: ['auth.invalid_token', 'service.unavailable'],
    handle: ({ body, deps, context }) => refreshSession(deps, authCall(deps, context), body.refresh_token),
  }),
)
