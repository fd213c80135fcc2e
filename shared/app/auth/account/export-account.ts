import { AccountExported } from '../../../domain/events.ts'
import { DomainError } from '../../../domain/errors.ts'
import { meView } from '../../../domain/auth/identity.ts'
import { secondsUntil } from '../../../domain/auth/identity-throttle.ts'
import { preferencesView } from '../../../domain/notifications/notification-preferences.ts'
import { jsonOf } from '../../json-pages.ts'
import { commitIdentity, eventsAbout, type Signing } from '../auth-events.ts'
import { countMessage } from '../../notifications/limits/count-messages.ts'
import type { AuthCall } from '../ports.ts'
import type { Actor, Deps } from '../../ports.ts'
import { findOwner } from './owner.ts'

/** Of one user in an hour: each reads all that there is of them. */
const MAX_EXPORTS = 5

/**
 * The text of a JSON object with everything of the account, in pieces that are read when the one before was taken. What changes
 * meanwhile may be there as it was or as it is.
 */
export async function exportAccount(
  deps: Signing & Pick<Deps, 'accounts' | 'preferences'>,
  call: AuthCall,
  actor: Actor,
): Promise<AsyncGenerator<string>> {
  const user = await findOwner(deps, actor)
  const { id } = user
  const limit = { name: `exports ${id}`, most: MAX_EXPORTS, userId: id }
  const refusedUntil = await countMessage(deps, limit, call.now)
  if (refusedUntil) {
    throw new DomainError('rate_limit.exceeded', `At most ${MAX_EXPORTS} exports are made in an hour.`, {
      retryAfterSeconds: secondsUntil(refusedUntil, call.now),
      limit: MAX_EXPORTS,
    })
  }
  const events = eventsAbout(deps, call, id, actor.view)
  await commitIdentity(deps, { userId: id, at: call.now, events: events([AccountExported]) })
  const { audience } = await deps.preferences.get(id)
  const head = {
    exported_at: call.now,
    account: meView(user),
    preferences: preferencesView(audience.preferences),
  }
  return jsonOf(head, deps.accounts.pagesOf(id))
}
