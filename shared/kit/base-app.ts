import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Deps } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'
import { DomainError } from '../domain/errors.ts'
import { compressAnswers } from './edge/compress-answers.ts'
import { corsFor } from './edge/cors.ts'
import { PATCH_TYPES, problemResponse, statusOf, toDomainError } from './problem.ts'
import { NO_LIMIT, rateLimit, type RequestLimit } from './edge/rate-limit.ts'
import { CLIENT_GONE, logRequests } from './edge/request-log.ts'
import { continueTrace, traceIdOf } from './trace-context.ts'
import { createTurns, type InTurn } from './edge/turns.ts'

export interface AppEnv {
  Variables: {
    requestId: string
    trace: TraceContext
    /** Who is signed in, as far as that is known. */
    userId?: string
    requestLimit: RequestLimit
    inTurn: InTurn
  }
}

const MAX_BODY_BYTES = 1024 * 1024

/**
 * Request id, trace, security headers and limits for everything that serves clients. Routes that were added before, the
 * sidecar's callbacks, do without it.
 */
export function prepareRequests(app: Hono<AppEnv>, deps: Deps): void {
  app.use(compressAnswers(deps))
  app.use(requestId({ limitLength: 128, generator: () => deps.ids.uuid() }))
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      overwrite: false, // a page may bring a policy of its own
      referrerPolicy: 'no-referrer',
      crossOriginResourcePolicy: 'same-origin',
    }),
  )
  // Before the limits: browsers read refusals, too, and a preflight is answered with less than it would be refused with.
  if (deps.settings.corsOrigins.length > 0) app.use(corsFor(deps.settings.corsOrigins))
  const inTurn = createTurns(deps.settings.maxWeightOfUser, deps.startTimer)
  app.use(async (c, next) => {
    c.set('trace', continueTrace(c.req.header('traceparent'), c.req.header('tracestate'), deps.ids))
    c.set('requestLimit', NO_LIMIT)
    c.set('inTurn', inTurn)
    await next()
    // What is not said to be for everybody is for whoever asked.
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  })
  app.use(rateLimit(deps))
  app.use(limitBody)
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allowed = methods.join(', ')
        const answer =
          c.req.method === 'OPTIONS'
            ? c.body(null, 204)
            : problemResponse(
                c,
                new DomainError('request.method_not_allowed', `This path allows ${allowed}.`),
              )
        answer.headers.set('allow', allowed)
        if (methods.includes('PATCH')) answer.headers.set('accept-patch', PATCH_TYPES)
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
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  const length = c.req.header('content-length')
  const transfer = c.req.header('transfer-encoding')
  if (!isRead) refuseEncoded(c.req.header('content-encoding') ?? 'identity', transfer ?? 'chunked')
  if (transfer !== undefined) return await readWithLimit(c, next)
  if (length !== undefined) return Number(length) > MAX_BODY_BYTES ? refuseBody() : await next()
  if (isRead) return await next()
  return await readWithLimit(c, next)
}

/** Whatever the path makes of a body: what is not read would pass for taken. */
function refuseEncoded(content: string, transfer: string): void {
  if (/^(identity)?$/i.test(content.trim()) && /^chunked$/i.test(transfer.trim())) return
  throw new DomainError('request.unsupported_encoding', 'Send the body as it is, not compressed.')
}

/** Whether the client went away before its request had come whole: then nothing that follows is a failure of ours. */
function isCutOff(c: Context): boolean {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  return incoming !== undefined && incoming.destroyed && !incoming.complete
}

/** An app without routes: what fails or is not there is answered by a problem document. */
export function problemApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use(logRequests(deps))
  app.notFound((c) =>
    problemResponse(c, new DomainError('request.not_found', 'There is nothing at this path.')),
  )
  app.onError((error, c) => {
    if (isCutOff(c)) return new Response(null, { status: CLIENT_GONE })
    const known = toDomainError(error)
    if (statusOf(known.code) >= 500) {
      const trace = c.get('trace') as TraceContext | undefined
      const fields = {
        request_id: c.get('requestId'),
        trace_id: trace && traceIdOf(trace),
        path: c.req.routePath,
      }
      deps.log.error({ ...fields, err: error }, 'failed to handle request')
    }
    return problemResponse(c, known)
  })
  return app
}
