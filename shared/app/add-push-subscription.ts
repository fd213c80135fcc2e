import { ECDH } from 'node:crypto'
import { DomainError, invalidField } from '../domain/errors.ts'
import {
  MOST_PUSH_SUBSCRIPTIONS,
  pushSubscriptionView,
  type PushSubscriptionInput,
  type PushSubscriptionView,
} from '../domain/push-subscription.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'

/**
 * Keeps where a device of the user can be reached. Posting it again is no second one: the endpoint is its identity. One
 * that another user has comes over only with its keys, which the browser alone knows.
 */
export async function addPushSubscription(
  { subscriptions, outbound, ids, settings }: Pick<Deps, 'subscriptions' | 'outbound' | 'ids' | 'settings'>,
  { actor, now }: WriteContext,
  input: PushSubscriptionInput,
): Promise<Answer<PushSubscriptionView>> {
  const objection = 'endpoint' in input ? outbound.objection(input.endpoint) : null
  if (objection !== null) throw invalidField('endpoint', objection)
  if ('endpoint' in input && !isPoint(input.keys.p256dh)) {
    throw invalidField('keys.p256dh', 'must be a point on the curve P-256')
  }
  if ('fcm_token' in input && !settings.hasMobilePush) {
    throw invalidField('fcm_token', 'this Daybook is not set up for mobile push')
  }
  const device =
    'endpoint' in input
      ? ({ channel: 'web_push', endpoint: input.endpoint, keys: input.keys } as const)
      : ({ channel: 'mobile_push', endpoint: input.fcm_token, keys: null } as const)
  const kept = await subscriptions.add(
    { id: ids.uuid(), userId: actor.userId, ...device, createdAt: now },
    MOST_PUSH_SUBSCRIPTIONS,
  )
  if (kept === 'taken') {
    throw new DomainError('subscription.taken', 'This endpoint belongs to somebody else.')
  }
  if (kept === 'too_many') {
    const message = `There are ${MOST_PUSH_SUBSCRIPTIONS} devices already; remove one first.`
    throw new DomainError('subscription.too_many', message)
  }
  return { body: pushSubscriptionView(kept) }
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
