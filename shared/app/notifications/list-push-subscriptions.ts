import {
  pushSubscriptionView,
  type PushSubscriptionList,
} from '../../domain/notifications/push-subscription.ts'
import type { Actor, Answer, Deps } from '../ports.ts'

export async function listPushSubscriptions(
  { subscriptions }: Pick<Deps, 'subscriptions'>,
  { userId }: Actor,
): Promise<Answer<PushSubscriptionList>> {
  const kept = await subscriptions.list(userId)
  return { body: { items: kept.map(pushSubscriptionView) } }
}
