import { createPushKeys } from '../../../shared/channels/push-keys.ts'
import { createSafeFetch } from '../../../shared/channels/safe-fetch.ts'
import { subscribedBrowser } from '../../../shared/channels/testing/browser.ts'
import { createPushKeyStore } from '../../../shared/db/push-key-store.ts'
import { createSubscriptionStore } from '../../../shared/db/subscription-store.ts'
import type { PushSubscriptionView } from '../../../shared/domain/push-subscription.ts'
import { systemIds } from '../../../shared/kit/system.ts'
import { testDatabase } from '../../../shared/testing/database.ts'
import { ask } from '../../../shared/testing/obligations.ts'
import { testDeps, type TestDeps } from '../../../shared/testing/test-deps.ts'
import addPushSubscription from '../add-push-subscription.ts'
import listPushSubscriptions from '../list-push-subscriptions.ts'

/** Deps with everything about push on a database of the test file's own. */
export async function pushService(): Promise<TestDeps> {
  const sql = await testDatabase()
  const { clock } = testDeps()
  const secrets = { get: async () => Promise.reject(new Error('there are no secrets here')) }
  return testDeps({
    ids: systemIds,
    subscriptions: createSubscriptionStore(sql),
    outbound: createSafeFetch({}),
    pushKeys: createPushKeys({ from: 'database', store: createPushKeyStore(sql), secrets, clock }),
  })
}

/** A browser, as its `PushSubscription.toJSON()` tells of it. */
export const aBrowser = (name: string = systemIds.uuid()) => ({
  endpoint: `https://push.example.org/send/${name}`,
  expirationTime: null,
  keys: subscribedBrowser().keys,
})

export async function added(deps: TestDeps, userId: string, json: unknown): Promise<PushSubscriptionView> {
  const { status, body } = await ask(addPushSubscription, deps, userId, { json })
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body as PushSubscriptionView
}

export async function listed(deps: TestDeps, userId: string): Promise<PushSubscriptionView[]> {
  const { body } = await ask(listPushSubscriptions, deps, userId)
  return (body as { items: PushSubscriptionView[] }).items
}
