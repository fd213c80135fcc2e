import { getPreferences } from '../../shared/app/notifications/get-preferences.ts'
import { PreferencesView } from '../../shared/domain/notifications/notification-preferences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/preferences',
  summary: "The caller's notification preferences",
  auth: 'notifications:read',
  tool: { hides: ['webhook_url', 'webhook_secret'] },
  uses: ['notifications'],
  output: PreferencesView,
  handle: ({ actor, deps }) => getPreferences(deps, actor),
})
