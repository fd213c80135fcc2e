import { ECDH } from 'node:crypto'
import { askToConfirm } from '../../domain/notifications/confirmation.ts'
import { sessionEnded } from '../../domain/auth/identity-session.ts'
import { DomainError, invalidField } from '../../domain/errors.ts'
import {
  pushSubscriptionView,
  type PushSubscriptionInput,
  type PushSubscriptionView,
} from '../../domain/notifications/push-subscription.ts'
import { originOf, toChange } from '../commit-decision.ts'
import { mayAskTarget } from './limits/first-messages.ts'
import type { Answer, Deps, WriteContext } from '../ports.ts'
import type { PushSubscription } from './ports.ts'

type Adding = Pick<Deps, 'subscriptions' | 'outbound' | 'changes' | 'identity' | 'ids' | 'settings'>

/**
 * Keeps where a device of the user can be reached. Posting it again is no second one: the endpoint is its identity. One
 * that another user has comes over only with its keys, which the browser alone knows.
 */
export async function addPushSubscription(
  deps: Adding,
  write: WriteContext,
  input: PushSubscriptionInput,
): Promise<Answer<PushSubscriptionView>> {
  const { actor, now } = write
  const { subscriptions, outbound, ids, settings } = deps
  const objection = 'endpoint' in input ? outbound.objection(input.endpoint) : null
  if (objection !== null) throw invalidField('endpoint', objection)
  if ('endpoint' in input && !isPoint(input.keys.p256dh)) {
    throw invalidField('keys.p256dh', 'must be a point on the curve P-256')
  }
  const [field, channel] =
    'endpoint' in input ? (['endpoint', 'web_push'] as const) : (['fcm_token', 'mobile_push'] as const)
  const lacking = settings.disabledChannels[channel]
  if (lacking !== undefined) throw invalidField(field, lacking)
  const device: Pick<PushSubscription, 'channel' | 'endpoint' | 'keys' | 'confirmedAt'> =
    'endpoint' in input
      ? {
          channel: 'web_push',
          endpoint: outbound.normal(input.endpoint),
          keys: input.keys,
          confirmedAt: null,
        }
      : // It leads to Google and nowhere else.
        { channel: 'mobile_push', endpoint: input.fcm_token, keys: null, confirmedAt: now }
  const most = settings.quotas.pushSubscriptions
  const kept = await subscriptions.add(
    { id: ids.uuid(), userId: actor.userId, sessionId: actor.sessionId ?? null, ...device, createdAt: now },
    most,
  )
  if (kept === 'signed_out') throw sessionEnded()
  if (kept === 'taken') {
    throw new DomainError('subscription.taken', 'This endpoint belongs to another user.')
  }
  if (kept === 'too_many') {
    const message = `The limit of devices (${most}) is reached; remove one first.`
    throw new DomainError('subscription.too_many', message)
  }
  if (kept.confirmedAt === null) await sendFirst(deps, write, kept.id)
  return { body: pushSubscriptionView(kept) }
}

/** What is not asked for because of a crash is so when the browser posts its subscription again, as browsers do. */
async function sendFirst(deps: Adding, write: WriteContext, target: string): Promise<void> {
  const {
    actor: { userId },
    now,
  } = write
  if (!(await mayAskTarget(deps, userId, now))) return
  const asked = askToConfirm({ userId, channel: 'web_push', target }, { now, newId: deps.ids.uuid })
  await deps.changes.commit(toChange(deps, originOf(write), { ...asked, facts: [] }))
}

/** Nothing could be encrypted for another one. */
function isPoint(base64url: string): boolean {
  try {
    ECDH.convertKey(base64url, 'prime256v1', 'base64url')
    return true
  } catch {
    return false
  }
}
