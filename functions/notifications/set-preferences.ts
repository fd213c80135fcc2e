import { setPreferences } from '../../shared/app/notifications/set-preferences.ts'
import {
  PreferencesInput,
  PreferencesView,
} from '../../shared/domain/notifications/notification-preferences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PUT /api/notifications/preferences',
  summary: 'Replace the notification preferences; omitted fields take their defaults',
  auth: 'notifications:write',
  uses: ['notifications', 'identity', 'events'],
  retrySafe: true,
  isSingleton: true,
  body: PreferencesInput,
  output: PreferencesView,
  refuses: ['preferences.version_conflict'],
  handle: ({ body, write, deps }) => setPreferences(deps, write, body),
})
