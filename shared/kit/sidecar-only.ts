import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Deps } from '../app/ports.ts'
import { DomainError } from '../domain/errors.ts'

/** Lets only the sidecar in: it shows APP_API_TOKEN as `dapr-api-token` (Dapr docs, "Authenticate requests from Dapr"). */
export function sidecarOnly(deps: Deps): MiddlewareHandler {
  const expected = Buffer.from(deps.settings.appToken)
  return async function sidecarOnly(c, next) {
    const shown = Buffer.from(c.req.header('dapr-api-token') ?? '')
    if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) {
      throw new DomainError('auth.required', 'This path is for the sidecar.')
    }
    await next()
  }
}
