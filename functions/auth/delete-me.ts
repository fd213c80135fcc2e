import { deleteAccount } from '../../shared/app/auth/account/delete-account.ts'
import { AccountDeletion } from '../../shared/domain/auth/account.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/me',
  summary: 'Delete the account and everything of it, for good',
  auth: 'account:write',
  noTool: 'a password does not go through a model, and nothing brings the account back',
  uses: ['identity', 'accounts', 'events'],
  body: AccountDeletion,
  status: 204,
  refuses: ['auth.forbidden', 'auth.wrong_password', 'auth.rate_limited'],
  handle: ({ actor, body, call, deps }) => deleteAccount(deps, call, actor, body.password),
})
