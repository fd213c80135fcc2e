import { askConfirmation } from '../../shared/app/auth/ask-confirmation.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/auth/confirmation',
  summary: 'Send another confirmation mail to your address, at most once an hour',
  auth: 'account:write',
  noTool: 'whoever reads the mail asks for it',
  uses: ['identity', 'events'],
  status: 204,
  refuses: ['auth.rate_limited'],
  handle: ({ actor, call, deps }) => askConfirmation(deps, call, actor),
})
