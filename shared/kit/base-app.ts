import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Deps } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'
import { DomainError } from '../domain/errors.ts'
import { problemResponse, toDomainError } from './problem.ts'
import { continueTrace, traceIdOf } from './trace-context.ts'

export interface AppEnv {
  Variables: { requestId: string; trace: TraceContext }
}

export const MAX_BODY_BYTES = 1024 * 1024

/** What every Daybook app has before its first route: request id, trace, security headers, body limit, problems. */
export function baseApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
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
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new HTTPException(413)
      },
    }),
  )
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
  app.notFound((c) =>
    problemResponse(c, new DomainError('request.not_found', 'There is nothing at this path.')),
  )
  app.onError((error, c) => {
    const known = toDomainError(error)
    if (known.code === 'internal' || known.code === 'service.unavailable') {
      const fields = {
        request_id: c.get('requestId'),
        trace_id: traceIdOf(c.get('trace')),
        path: c.req.routePath,
      }
      deps.log.error({ ...fields, err: error }, 'request failed')
    }
    return problemResponse(c, known)
  })
  return app
}
