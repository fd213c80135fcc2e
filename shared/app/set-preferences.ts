import { DomainError, invalidField } from '../domain/errors.ts'
import {
  decidePreferences,
  preferencesView,
  type PreferencesInput,
  type PreferencesView,
} from '../domain/notification-preferences.ts'
import { commitWrite, replay, withoutConflict } from './commit-decision.ts'
import type { Answer, ChangeStore, Deps, WriteContext } from './ports.ts'

const SECRET_BYTES = 32

/** Replaces the preferences of the caller as a whole. */
export function setPreferences(
  deps: Deps,
  write: WriteContext,
  input: PreferencesInput,
): Promise<Answer<PreferencesView>> {
  const { userId } = write.actor
  const attempt = async (store: ChangeStore) => {
    const [{ audience, accountTimeZone }, stored] = await Promise.all([
      store.loadPreferences(userId),
      write.idempotency && store.storedAnswer(userId, write.idempotency.key, write.now),
    ])
    const earlier = replay<PreferencesView>(stored, write)
    if (earlier) return earlier
    const { version, webhookUrl } = audience.preferences
    if (write.ifMatch && !write.ifMatch.includes(version)) {
      throw new DomainError('preferences.version_conflict', `The preferences have version ${version} by now.`)
    }
    const objection =
      input.webhook_url !== null && input.webhook_url !== webhookUrl
        ? deps.outbound.objection(input.webhook_url)
        : null
    if (objection !== null) throw invalidField('webhook_url', objection)
    const changed = decidePreferences(audience.preferences, input, {
      ...{ accountTimeZone, now: write.now },
      newSecret: () => `whsec_${Buffer.from(deps.ids.hex(SECRET_BYTES), 'hex').toString('base64')}`,
    })
    return commitWrite(deps, store, write, {
      decision: { preferences: changed, facts: [] },
      body: preferencesView(changed.preferences),
    })
  }
  return withoutConflict(deps, userId, attempt)
}
