import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { RouterRoute } from 'hono/types'
import type { Deps } from '../../app/ports.ts'
import type { AppEnv } from '../base-app.ts'
import { clientAddressOf } from './client-address.ts'
import { toDomainError } from '../problem.ts'
import { createRefusalLog } from './refusal-log.ts'
import { traceIdOf } from '../trace-context.ts'

const REFUSED = new Set([401, 403, 429])
/** What the platform asks again and again, whether anybody uses Daybook or not. */
const ROUTINE = /^\/(livez$|readyz$|dapr\/(cron\/|subscribe$|config$))/
/** Answered to nobody: the client was gone before it had sent its request (as nginx calls it). */
export const CLIENT_GONE = 499

const functionOfRoute = new WeakMap<RouterRoute, string>()

/** Has the lines of requests to these routes name the function they belong to. */
export function nameRoutes(routes: readonly RouterRoute[], name: string): void {
  for (const route of routes) if (name !== '') functionOfRoute.set(route, name)
}

/**
 * One line for each request, after it was answered: which function, what came of it, how long it took, for whom; neither
 * its path nor its address. A refusal is a warning instead, and in a flood one of many (refusal-log.ts).
 */
export function logRequests(deps: Deps): MiddlewareHandler<AppEnv> {
  const { log, settings } = deps
  const noteRefusal = createRefusalLog(deps)

  function note(c: Context<AppEnv>, ms: number): void {
    const { status } = c.res
    const fields = () => fieldsOf(c, status, ms)
    if (status === CLIENT_GONE) log.debug(fields(), 'aborted request: client disconnected')
    else if (REFUSED.has(status) && c.error) {
      noteRefusal('refused request', toDomainError(c.error).code, clientAddressOf(deps, c), fields())
    } else if (!settings.logRequests) return
    else if (status < 400 && ROUTINE.test(c.req.path)) log.debug(fields(), 'answered request')
    else log.info(fields(), 'answered request')
  }

  return async function logRequests(c, next) {
    const startedAt = performance.now()
    await next()
    const ms = performance.now() - startedAt
    setImmediate(() => note(c, ms)) // nobody waits for it
  }
}

function fieldsOf(c: Context<AppEnv>, status: number, ms: number): object {
  const trace = c.get('trace')
  return {
    function: functionOf(c),
    status,
    ms: Math.round(ms * 10) / 10,
    user_id: c.get('userId'),
    request_id: c.get('requestId'),
    trace_id: trace ? traceIdOf(trace) : c.req.header('traceparent')?.slice(3, 35),
  }
}

/** The function that answered, or would have, had nothing before it refused the request. */
function functionOf(c: Context): string | undefined {
  const from = matchedRoutes(c).slice(c.req.routeIndex)
  return from.map((route) => functionOfRoute.get(route)).find((name) => name !== undefined)
}
