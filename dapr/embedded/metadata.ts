import { Hono } from 'hono'
import { componentsOf } from './resources.ts'
import type { SidecarContext } from './context.ts'
import type { Subscription } from './pubsub/subscriptions.ts'
import { readText } from './requests.ts'

/** The Dapr release whose behaviour this sidecar follows. */
const RUNTIME_VERSION = '1.18.2-embedded'

/** `GET /metadata` and `PUT /metadata/{key}`: components, subscriptions and values that the app left here. */
export function metadataRoutes(context: SidecarContext, subscriptions: () => readonly Subscription[]): Hono {
  const app = new Hono()
  const extended: Record<string, string> = {}
  app.get('/v1.0/metadata', (c) =>
    c.json({
      id: context.appId,
      runtimeVersion: RUNTIME_VERSION,
      components: componentsOf(context.resources, context.appId).map(({ name, type, version }) => ({
        name,
        type,
        version,
      })),
      extended: { ...extended, daprRuntimeVersion: RUNTIME_VERSION },
      subscriptions: subscriptions().map((subscription) => ({
        pubsubname: subscription.pubsub,
        topic: subscription.topic,
        metadata: subscription.metadata,
        rules: subscription.rules.map(({ match, path }) => ({ ...(match !== '' && { match }), path })),
        deadLetterTopic: subscription.deadLetterTopic ?? '',
        type: 'PROGRAMMATIC',
      })),
      appConnectionProperties: { protocol: 'http', channelAddress: '127.0.0.1' },
    }),
  )
  app.put('/v1.0/metadata/:key', async (c) => {
    extended[c.req.param('key')] = await readText(c.req.raw)
    return c.body(null, 204)
  })
  return app
}
