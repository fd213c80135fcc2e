import { changePassword } from '../../shared/app/auth/account/change-password.ts'
import { PasswordChange } from '../../shared/domain/auth/account.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// A retry after a lost answer finds the new password in place and changes nothing.
export default httpFunction({
  route: 'POST /api/auth/password',
  summary: 'Change the password; all other sessions end',
  auth: 'account:write',
  noTool: 'a password does not go through a model',
  uses: ['identity', 'events'],
  body: PasswordChange,
  status: 204,
  refuses: ['auth.forbidden', 'auth.wrong_password', 'auth.no_password', 'auth.rate_limited'],
  handle: ({ actor, body, call, deps }) => changePassword(deps, call, actor, body),
})
