import { pushSubscriptionView, type PushSubscriptionList } from '../domain/push-subscription.ts'
import type { Actor, Answer, Deps } from './ports.ts'

/** The devices of the caller, oldest first. */
export async function listPushSubscriptions(
  { subscriptions }: Pick<Deps, 'subscriptions'>,
  { userId }: Actor,
): Promise<Answer<PushSubscriptionList>> {
  const kept = await subscriptions.list(userId)
  return { body: { items: kept.map(pushSubscriptionView) } }
}
