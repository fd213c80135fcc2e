import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Deps } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'
import { DomainError } from '../domain/errors.ts'
import { problemResponse, statusOf, toDomainError } from './problem.ts'
import { continueTrace, traceIdOf } from './trace-context.ts'

export interface AppEnv {
  Variables: { requestId: string; trace: TraceContext }
}

export const MAX_BODY_BYTES = 1024 * 1024

/** What every Daybook app has before its first route: request id, trace, security headers, body limit, problems. */
export function baseApp(deps: Deps): Hono<AppEnv> {
  const app = problemApp(deps)
  prepareRequests(app, deps)
  return app
}

/** Everything that serves clients. Routes that were added before, the sidecar's callbacks, do without it. */
export function prepareRequests(app: Hono<AppEnv>, deps: Deps): void {
  app.use(requestId({ limitLength: 128, generator: () => deps.ids.uuid() }))
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      overwrite: false, // a page may bring a policy of its own
      referrerPolicy: 'no-referrer',
      crossOriginResourcePolicy: 'same-origin',
    }),
  )
  app.use(async (c, next) => {
    c.set('trace', continueTrace(c.req.header('traceparent'), c.req.header('tracestate'), deps.ids))
    await next()
  })
  app.use(limitBody)
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const refusal = new DomainError(
          'request.method_not_allowed',
          `This path takes ${methods.join(', ')}.`,
        )
        const answer = problemResponse(c, refusal)
        answer.headers.set('allow', methods.join(', '))
        return answer
      },
    }),
  )
}

const readWithLimit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseBody })

function refuseBody(): never {
  throw new HTTPException(413)
}

/**
 * Where the headers tell how long the body is, nobody looks at it here: to look makes a complete Request of what is
 * otherwise read straight from the socket, whose parser holds the client to the length it gave.
 */
const limitBody: MiddlewareHandler = async (c, next) => {
  const length = c.req.header('content-length')
  if (c.req.header('transfer-encoding') !== undefined) return await readWithLimit(c, next)
  if (length !== undefined) return Number(length) > MAX_BODY_BYTES ? refuseBody() : await next()
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return await next()
  return await readWithLimit(c, next)
}

/** An app without routes: what fails or is not there is answered by a problem document. */
export function problemApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.notFound((c) =>
    problemResponse(c, new DomainError('request.not_found', 'There is nothing at this path.')),
  )
  app.onError((error, c) => {
    const known = toDomainError(error)
    if (statusOf(known.code) >= 500) {
      const trace = c.get('trace') as TraceContext | undefined
      const fields = {
        request_id: c.get('requestId'),
        trace_id: trace && traceIdOf(trace),
        path: c.req.routePath,
      }
      deps.log.error({ ...fields, err: error }, 'request failed')
    }
    return problemResponse(c, known)
  })
  return app
}
