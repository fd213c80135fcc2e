import { fromClient, systemActor } from '../../domain/actor.ts'
import { preferencesFact } from '../../domain/notifications/notification-facts.ts'
import { nextDigestAt } from '../../domain/notifications/digest-time.ts'
import { withoutMail } from '../../domain/notifications/notification-preferences.ts'
import { toChange, type Writing } from '../commit-decision.ts'
import { invalidLink } from '../auth/confirm-address.ts'
import type { Deps, WriteContext } from '../ports.ts'
import { retryExclusively } from '../retry-on-conflict.ts'

/** Ends mail of the type that the token of a mail speaks of. Doing it again changes nothing. */
export async function unsubscribeMail(
  deps: Writing & Pick<Deps, 'identity'>,
  { now, trace, client }: Pick<WriteContext, 'now' | 'trace' | 'client'>,
  token: string,
): Promise<void> {
  const link = await deps.identity.links.readUnsubscription(token)
  if (!link) throw invalidLink()
  const { userId, type } = link
  await retryExclusively(deps, userId, async (store) => {
    const { audience } = await store.loadPreferences(userId)
    const preferences = withoutMail(audience.preferences, type)
    if (!preferences) return 'done'
    const at = preferences.dailyDigestAt
    const change = {
      preferences,
      nextDigestAt: at === null ? null : nextDigestAt(at, audience.timeZone, now),
    }
    // Whoever has the mail has the link.
    const actor = fromClient(systemActor('unsubscribe', userId), client)
    const decision = { preferences: change, facts: [preferencesFact(userId, preferences)] }
    const { outcome } = await store.commit(toChange(deps, { userId, now, trace, actor }, decision))
    if (outcome === 'applied') deps.publishing.wake()
    return outcome === 'conflict' ? 'conflict' : 'done'
  })
}
