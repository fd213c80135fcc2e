import { exportAccount } from '../../shared/app/auth/account/export-account.ts'
import { AccountExport } from '../../shared/domain/auth/account-export.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/me/export',
  summary: 'Everything of the account as one JSON document',
  auth: 'account:export',
  uses: ['identity', 'notifications', 'accounts', 'events'],
  output: AccountExport,
  download: { name: 'daybook', extensions: ['json'] },
  refuses: ['rate_limit.exceeded'],
  handle: ({ actor, call, deps }) => exportAccount(deps, call, actor),
})
