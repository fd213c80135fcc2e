import { subscribedBrowser } from './browser.ts'
import type { PushSubscriptionView } from '../../shared/domain/notifications/push-subscription.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { ask } from './ask-function.ts'
import type { TestDaybook } from './compose-daybook.ts'
import addPushSubscription from '../../functions/notifications/add-push-subscription.ts'
import listPushSubscriptions from '../../functions/notifications/list-push-subscriptions.ts'

/** A browser, as its `PushSubscription.toJSON()` tells of it. */
export const aBrowser = (name: string = systemIds.uuid()) => ({
  endpoint: `https://push.example.org/send/${name}`,
  expirationTime: null,
  keys: subscribedBrowser().keys,
})

export async function added(
  deps: TestDaybook['deps'],
  userId: string,
  json: unknown,
): Promise<PushSubscriptionView> {
  const { status, body } = await ask(addPushSubscription, deps, userId, { json })
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body as PushSubscriptionView
}

export async function listed(deps: TestDaybook['deps'], userId: string): Promise<PushSubscriptionView[]> {
  const { body } = await ask(listPushSubscriptions, deps, userId)
  return (body as { items: PushSubscriptionView[] }).items
}
