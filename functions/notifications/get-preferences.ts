import { getPreferences } from '../../shared/app/get-preferences.ts'
import { PreferencesView } from '../../shared/domain/notification-preferences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

export default noStore(
  httpFunction({
    route: 'GET /api/notifications/preferences',
    summary: 'How the caller wants to be told of things',
    auth: 'user',
    output: PreferencesView,
    handle: ({ actor, deps }) => getPreferences(deps, actor),
  }),
)
