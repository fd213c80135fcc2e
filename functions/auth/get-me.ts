import { getMe } from '../../shared/app/auth/get-me.ts'
import { MeView } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/me',
  summary: 'The account of the caller',
  auth: 'account:read',
  tool: { name: 'get_account', description: 'The account, with its time zone.' },
  uses: ['identity'],
  output: MeView,
  handle: ({ actor, deps }) => getMe(deps, actor),
})
