import { createApiToken } from '../../shared/app/auth/api-tokens.ts'
import { ApiTokenInput, NewApiToken } from '../../shared/domain/auth/api-token.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tokens',
  summary: 'Make an API token, with which a program may do what its scopes say; it is shown once',
  auth: 'account:write',
  noTool: 'a token makes no tokens',
  uses: ['identity', 'events'],
  body: ApiTokenInput,
  output: NewApiToken,
  status: 201,
  refuses: ['auth.forbidden', 'token.name_taken', 'token.too_many'],
  handle: ({ body, actor, call, deps }) => createApiToken(deps, call, actor, body),
})
