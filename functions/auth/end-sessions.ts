import { z } from 'zod'
import { endAllSessions } from '../../shared/app/auth/end-session.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/auth/sessions',
  summary:
    'Sign out of all sessions, or of all but this one; their tokens, live streams and all API tokens end at once',
  auth: 'account:write',
  noTool: 'a program does not sign out its user',
  uses: ['identity', 'events'],
  query: z.strictObject({
    except: z.literal('current').optional().describe('`current` keeps the session of the access token'),
  }),
  status: 204,
  refuses: ['auth.forbidden'],
  handle: ({ query, actor, call, deps }) => endAllSessions(deps, call, actor, query.except),
})
