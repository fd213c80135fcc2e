import { Hono } from 'hono'
import { apiError } from './errors.ts'

export interface Readiness {
  readonly appId: string
  /** The database is prepared: calls from the app work. */
  readonly isOutboundReady: () => boolean
  /** Deliveries, jobs and cron run. */
  readonly isReady: () => boolean
}

/** `GET /healthz` and `GET /healthz/outbound`, the only routes without an API token. */
export function healthRoutes({ appId, isOutboundReady, isReady }: Readiness): Hono {
  const app = new Hono()
  app.get('/v1.0/healthz', (c) => {
    if (!isReady()) throw apiError(500, 'ERR_HEALTH_NOT_READY', 'dapr is not ready: [app]')
    const asked = c.req.query('appid')
    if (asked !== undefined && asked !== appId) {
      throw apiError(500, 'ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match')
    }
    return c.body(null, 204)
  })
  app.get('/v1.0/healthz/outbound', (c) => {
    if (!isOutboundReady()) throw apiError(500, 'ERR_OUTBOUND_HEALTH_NOT_READY', 'dapr outbound is not ready')
    return c.body(null, 204)
  })
  return app
}
