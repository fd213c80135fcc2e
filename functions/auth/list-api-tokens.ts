import { listApiTokens } from '../../shared/app/auth/api-tokens.ts'
import { ApiTokenList } from '../../shared/domain/auth/api-token.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/tokens',
  summary: 'Your API tokens, with what each may do and when it was used last',
  auth: 'account:read',
  uses: ['identity'],
  output: ApiTokenList,
  handle: ({ actor, deps }) => listApiTokens(deps, actor),
})
