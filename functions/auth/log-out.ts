import { logOut } from '../../shared/app/auth/log-out.ts'
import { RefreshInput } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/logout',
  summary: 'End the session of a refresh token; its access tokens and live streams end at once',
  auth: 'none',
  uses: ['identity', 'events'],
  body: RefreshInput,
  status: 204,
  refuses: ['service.unavailable'],
  handle: async ({ body, call, deps }) => {
    await logOut(deps, call, body.refresh_token)
    return { body: null }
  },
})
