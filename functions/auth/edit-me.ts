import { editAccount } from '../../shared/app/auth/account/edit-account.ts'
import { AccountPatch } from '../../shared/domain/auth/account.ts'
import { MeView } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PATCH /api/me',
  summary: 'Change time zone, name or address; an address takes effect when it is confirmed',
  auth: 'account:write',
  tool: {
    name: 'update_account',
    description: 'Change the name or the time zone of the account.',
    without: ['email', 'password'],
  },
  uses: ['identity', 'notifications', 'events'],
  body: AccountPatch,
  output: MeView,
  refuses: [
    'auth.forbidden',
    'auth.wrong_password',
    'auth.no_password',
    'auth.email_taken',
    'auth.rate_limited',
  ],
  handle: ({ actor, body, call, deps }) => editAccount(deps, call, actor, body),
})
