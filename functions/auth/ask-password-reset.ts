import { askReset } from '../../shared/app/auth/account/ask-reset.ts'
import { ResetRequest } from '../../shared/domain/auth/account.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/password-reset',
  summary:
    'Send a mail that lets its reader set a new password; the answer is the same for an unknown address',
  auth: 'none',
  uses: ['identity', 'events'],
  body: ResetRequest,
  status: 204,
  refuses: ['auth.rate_limited', 'service.unavailable'],
  handle: ({ body, call, deps }) => askReset(deps, call, body.email),
})
