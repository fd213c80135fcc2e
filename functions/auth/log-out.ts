import { logOut } from '../../shared/app/log-out.ts'
import { RefreshInput } from '../../shared/domain/identity.ts'
import { authCall } from '../../shared/kit/client.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

// Access tokens are not asked about in a list of withdrawn ones; the last one runs out within 15 minutes.
export default noStore(
  httpFunction({
    route: 'POST /api/auth/logout',
    summary: 'End the session of a refresh token',
    auth: 'none',
    body: RefreshInput,
    status: 204,
    refuses: ['service.unavailable'],
    handle: async ({ body, deps, context }) => {
      await logOut(deps, authCall(deps, context), body.refresh_token)
      return { body: null }
    },
  }),
)
