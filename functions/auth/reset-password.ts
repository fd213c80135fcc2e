import { resetPassword } from '../../shared/app/auth/account/reset-password.ts'
import { PasswordReset } from '../../shared/domain/auth/account.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/password-reset/confirm',
  summary: 'Set a new password with the token from the mail; all sessions end',
  auth: 'none',
  uses: ['identity', 'notifications', 'events'],
  body: PasswordReset,
  status: 204,
  refuses: ['auth.invalid_link', 'auth.rate_limited', 'service.unavailable'],
  handle: ({ body, call, deps }) => resetPassword(deps, call, body),
})
