import type { Actor, ChangeStore } from '../ports.ts'

/** The zone that a user has chosen for notifications, else that of the account, which a token may have been issued before. */
export async function presentZone(
  store: Pick<ChangeStore, 'loadPreferences'>,
  actor: Actor,
): Promise<string> {
  const { audience, accountTimeZone } = await store.loadPreferences(actor.userId)
  return audience.preferences.timeZone ?? accountTimeZone ?? actor.timeZone
}
