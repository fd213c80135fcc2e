import { getMe } from '../../shared/app/get-me.ts'
import { MeView } from '../../shared/domain/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

export default noStore(
  httpFunction({
    route: 'GET /api/me',
    summary: 'The account of the caller',
    auth: 'user',
    output: MeView,
    handle: ({ actor, deps }) => getMe(deps, actor),
  }),
)
