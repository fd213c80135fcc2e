import { z } from 'zod'
import { revokeApiToken } from '../../shared/app/auth/api-tokens.ts'
import { uuid } from '../../shared/domain/fields.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/tokens/:id',
  summary: 'Revoke an API token; its requests are refused and its live streams end at once',
  auth: 'account:write',
  noTool: 'a token revokes no tokens',
  uses: ['identity', 'events'],
  params: z.object({ id: uuid }),
  status: 204,
  refuses: ['auth.forbidden', 'token.not_found'],
  handle: ({ params, actor, call, deps }) => revokeApiToken(deps, call, actor, params.id),
})
