import { listSessions } from '../../shared/app/auth/list-sessions.ts'
import { SessionList } from '../../shared/domain/auth/identity-session.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/auth/sessions',
  summary: 'Where you are signed in',
  auth: 'account:read',
  uses: ['identity'],
  output: SessionList,
  handle: ({ actor, deps }) => listSessions(deps, actor),
})
