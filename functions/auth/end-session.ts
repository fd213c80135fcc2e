import { z } from 'zod'
import { endSession } from '../../shared/app/auth/end-session.ts'
import { uuid } from '../../shared/domain/fields.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/auth/sessions/:id',
  summary: 'Sign out of one session; its tokens and live streams end at once',
  auth: 'account:write',
  noTool: 'a program does not sign out its user',
  uses: ['identity', 'events'],
  params: z.object({ id: uuid }),
  status: 204,
  refuses: ['auth.forbidden', 'session.not_found'],
  handle: ({ params, actor, call, deps }) => endSession(deps, call, actor, params.id),
})
