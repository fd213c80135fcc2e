import { askToConfirm } from '../../domain/notifications/confirmation.ts'
import { preferencesFact } from '../../domain/notifications/notification-facts.ts'
import { DomainError, invalidField } from '../../domain/errors.ts'
import {
  decidePreferences,
  preferencesView,
  type PreferencesInput,
  type PreferencesView,
} from '../../domain/notifications/notification-preferences.ts'
import type { Writing } from '../commit-decision.ts'
import { guardedWrite, type WriteTarget } from '../guarded-write.ts'
import type { Answer, Deps, WriteContext } from '../ports.ts'
import type { PreferenceStore } from './ports.ts'
import { mayAskTarget } from './limits/first-messages.ts'

const SECRET_BYTES = 32

/** Replaces the preferences of the caller as a whole. A webhook that has not answered yet is sent its first message. */
export async function setPreferences(
  deps: Writing & Pick<Deps, 'outbound' | 'preferences' | 'identity'>,
  write: WriteContext,
  input: PreferencesInput,
): Promise<Answer<PreferencesView>> {
  const { userId } = write.actor
  const wanted = withNormalUrl(deps, input)
  // Counted here: within the transaction below it would need a second connection.
  const mayAsk = (await hasToAnswer(deps, userId, wanted)) && (await mayAskTarget(deps, userId, write.now))
  return guardedWrite(deps, write, preferencesTarget(write), ({ audience, accountTimeZone }) => {
    const isAnother = wanted.webhook_url !== audience.preferences.webhookUrl
    const objection =
      wanted.webhook_url !== null && isAnother ? deps.outbound.objection(wanted.webhook_url) : null
    if (objection !== null) throw invalidField('webhook_url', objection)
    const context = { now: write.now, newId: deps.ids.uuid }
    const { preferences, nextDigestAt } = decidePreferences(audience.preferences, wanted, {
      ...context,
      accountTimeZone: accountTimeZone ?? write.actor.timeZone,
      newSecret: () => `whsec_${Buffer.from(deps.ids.hex(SECRET_BYTES), 'hex').toString('base64')}`,
    })
    const { webhookId: target, webhookConfirmedAt } = preferences
    const asked =
      mayAsk && target !== null && webhookConfirmedAt === null
        ? askToConfirm({ userId, channel: 'webhook', target }, context)
        : {}
    return {
      decision: {
        ...asked,
        preferences: { preferences, nextDigestAt },
        facts: [preferencesFact(userId, preferences)],
      },
      body: preferencesView(preferences),
    }
  })
}

const preferencesTarget = ({
  actor: { userId },
  now,
}: WriteContext): WriteTarget<Awaited<ReturnType<PreferenceStore['get']>>> => ({
  async load(store, key) {
    const [found, stored] = await Promise.all([
      store.loadPreferences(userId),
      key === null ? null : store.storedAnswer(userId, key, now),
    ])
    return { stored, found }
  },
  versionOf: ({ audience }) => audience.preferences.version,
  versionConflict: (version) =>
    new DomainError('preferences.version_conflict', `The preferences are at version ${version}.`),
})

/** With the URL in the form in which it is kept; what is none stays, to be refused. */
const withNormalUrl = ({ outbound }: Pick<Deps, 'outbound'>, input: PreferencesInput): PreferencesInput => ({
  ...input,
  webhook_url: input.webhook_url && outbound.normal(input.webhook_url),
})

/** Whether the webhook is another one than before, or has not answered yet. */
async function hasToAnswer(
  { preferences, outbound }: Pick<Deps, 'preferences' | 'outbound'>,
  userId: string,
  { webhook_url: url }: PreferencesInput,
): Promise<boolean> {
  if (url === null || outbound.objection(url) !== null) return false
  const { webhookUrl, webhookConfirmedAt } = (await preferences.get(userId)).audience.preferences
  return url !== webhookUrl || webhookConfirmedAt === null
}
