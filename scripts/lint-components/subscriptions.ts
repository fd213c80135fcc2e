import { Hono } from 'hono'
import type { Deps } from '../../shared/app/ports.ts'
import type { AppEnv } from '../../shared/kit/base-app.ts'
import { mountTopics } from '../../shared/kit/subscriptions.ts'
import type { TopicFunction } from '../../shared/kit/topic-function.ts'
import type { SubscriptionOfCode } from './finding.ts'

/** What each unit answers to `GET /dapr/subscribe`, asked of the kit, so that the linter sees what Dapr will see. */
export async function subscriptionsOf(
  topics: readonly { fn: TopicFunction; unit: string }[],
): Promise<SubscriptionOfCode[]> {
  const units = [...new Set(topics.map(({ unit }) => unit))]
  const answers = await Promise.all(
    units.map(async (unit) => {
      const app = new Hono<AppEnv>()
      const functions = topics.filter((topic) => topic.unit === unit).map(({ fn }) => fn)
      mountTopics(app, functions, { settings: { appToken: unit } } as Deps)
      const answer = await app.request('/dapr/subscribe', { headers: { 'dapr-api-token': unit } })
      const subscriptions = (await answer.json()) as Omit<SubscriptionOfCode, 'unit'>[]
      return subscriptions.map((subscription) => ({ ...subscription, unit }))
    }),
  )
  return answers.flat()
}
