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
  noTool:
    'it replaces all of them, so that what an agent leaves out would be lost, and names where notifications are sent',
  uses: ['notifications', 'identity', 'events'],
  retrySafe: true,
  isSingleton: true,
  body: PreferencesInput,
  output: PreferencesView,
  refuses: ['preferences.version_conflict'],
  handle: ({ body, write, deps }) => setPreferences(deps, write, body),
})
