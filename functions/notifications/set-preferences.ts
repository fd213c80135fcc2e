import { setPreferences } from '../../shared/app/set-preferences.ts'
import { PreferencesInput, PreferencesView } from '../../shared/domain/notification-preferences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

export default noStore(
  httpFunction({
    route: 'PUT /api/notifications/preferences',
    summary: 'Replace how the caller wants to be told of things; fields left out take their defaults',
    auth: 'user',
    retrySafe: true,
    isSingleton: true,
    body: PreferencesInput,
    output: PreferencesView,
    refuses: ['preferences.version_conflict'],
    handle: ({ body, write, deps }) => setPreferences(deps, write, body),
  }),
)
