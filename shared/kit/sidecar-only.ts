import { timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { Deps, Settings } from '../app/ports.ts'
import { DomainError } from '../domain/errors.ts'

/** Lets only the sidecar in: it shows APP_API_TOKEN as `dapr-api-token` (Dapr docs, "Authenticate requests from Dapr"). */
export function sidecarOnly({ settings }: Deps): MiddlewareHandler {
  return async function sidecarOnly(c, next) {
    if (!isFromSidecar(settings, c))
      throw new DomainError('auth.required', 'Only the sidecar may call this path.')
    await next()
  }
}

/** Whether the sidecar sent this request, a callback of its own or an invocation by another app. */
export function isFromSidecar({ appToken }: Pick<Settings, 'appToken'>, c: Context): boolean {
  const token = c.req.header('dapr-api-token')
  if (token === undefined) return false
  const shown = Buffer.from(token)
  const expected = Buffer.from(appToken)
  return shown.length === expected.length && timingSafeEqual(shown, expected)
}
