import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'

/** What clients send that is more than a browser allows by itself. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-Request-Id',
  'traceparent',
  'tracestate',
]
/** How long a browser remembers what it may send to a URL. */
const PREFLIGHT_SECONDS = 600

/**
 * Lets pages of these origins read our answers (WHATWG Fetch, CORS protocol). There are no cookies, so credentials in its sense
 * are never allowed; without them `*` is every header of an answer. An OPTIONS that is no preflight of one of them is a request like any other.
 */
export function corsFor(origins: readonly string[]): MiddlewareHandler {
  const known = new Set(origins)
  const allow = cors({
    origin: [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ['*'],
    maxAge: PREFLIGHT_SECONDS,
  })
  return async function corsFor(c, next) {
    const isOptions = c.req.method === 'OPTIONS'
    const isPreflight = isOptions && c.req.header('access-control-request-method') !== undefined
    if (known.has(c.req.header('origin') ?? '') && (isPreflight || !isOptions)) return await allow(c, next)
    await next()
    // Of what caches keep, they are to have a copy for each.
    c.res.headers.append('vary', 'Origin')
  }
}
