import { preferencesView, type PreferencesView } from '../../domain/notifications/notification-preferences.ts'
import type { Actor, Answer, Deps } from '../ports.ts'

export async function getPreferences(
  deps: Pick<Deps, 'preferences'>,
  { userId }: Actor,
): Promise<Answer<PreferencesView>> {
  const { audience } = await deps.preferences.get(userId)
  return { body: preferencesView(audience.preferences) }
}
