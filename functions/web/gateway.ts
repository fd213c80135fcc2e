import type { Context } from 'hono'
import type { DepsOf } from '../../shared/app/capabilities.ts'
import { networkOf } from '../../shared/domain/auth/identity-throttle.ts'
import { DomainError } from '../../shared/domain/errors.ts'
import type { AppEnv } from '../../shared/kit/base-app.ts'
import { answerTaken } from '../../shared/kit/edge/answer-taken.ts'
import { clientAddressOf, forwardedFor } from '../../shared/kit/edge/client-address.ts'
import { MIN_BYTES } from '../../shared/kit/edge/compress-answers.ts'
import { passedOn } from '../../shared/kit/edge/pass-on.ts'
import { createTurns, type InTurn } from '../../shared/kit/edge/turns.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'
import { appOf } from '../../shared/kit/units.ts'
import { ROUTES } from '../routes.ts'

/** Our name in Via (RFC 9110 §7.6.3). Who finds it there was sent a request that has been here before. */
const NAME = 'daybook-gateway'

/** One address for all units: what this process does not serve itself goes to the unit that does. */
export default routesFunction({
  // And whatever the other units serve: functions/routes.ts.
  serves: [],
  uses: ['units'],
  routes: (app, deps) => {
    const inTurn = createTurns(MAX_AT_ONCE, deps.startTimer)
    const served = new Set(app.routes.map(({ method, path }) => `${method} ${path}`))
    for (const [route, name] of Object.entries(ROUTES)) {
      const [method = '', path = ''] = route.split(' ')
      const appId = appOf({ name, kind: 'http' }, deps.settings.granularity)
      if (appId !== null && !served.has(route)) app.on(method, path, (c) => forward(c, appId, deps, inTurn))
    }
  },
})

/** Of a client: its share of the connections to the sidecar, 64 (shared/dapr/http.ts), and of the answers held. */
const MAX_AT_ONCE = 8

/** What makes a write safe must arrive as it was sent, and sidecars carry neither an empty value nor one outside ASCII. */
const GUARDS = ['idempotency-key', 'if-match', 'if-none-match']

type GatewayDeps = DepsOf<['units']>

async function forward(
  c: Context<AppEnv>,
  appId: string,
  deps: GatewayDeps,
  inTurn: InTurn,
): Promise<Response> {
  if (c.req.header('via')?.includes(NAME)) {
    throw new DomainError('request.not_found', `${appId} does not serve this path.`)
  }
  const token = c.req.header('authorization')
  if (token !== undefined) c.get('requestLimit').ofToken(token)
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  const mangled = GUARDS.find((name) => !/^[\x20-\x7e]+$/.test(c.req.header(name) ?? 'none'))
  if (mangled && !isRead)
    throw new DomainError('request.malformed', `${mangled} must be non-empty ASCII text.`)
  const { method, path } = c.req
  const request = {
    method,
    path: path + new URL(c.req.url).search,
    headers: headersOf(c, deps),
    body: isRead ? null : new Uint8Array(await c.req.arrayBuffer()),
    isRepeatable: isRepeatable(c),
    signal: c.req.raw.signal,
  }
  const pass = async () => {
    const answer = await deps.upstreams.forward(appId, request)
    const body = answer.body && (await passedOn(answer.body, c, deps.log))
    const headers = endToEnd(answer.headers)
    if (body instanceof Uint8Array && body.length >= MIN_BYTES) {
      headers.set('content-length', String(body.length))
    }
    return new Response(body, { status: answer.status, headers })
  }
  const answer = await inTurn(token ?? `address ${networkOf(clientAddressOf(deps, c))}`, 1, pass, () =>
    answerTaken(c),
  )
  // A token that is good for nothing has a share of its own; its address has not.
  if (answer.status === 401) c.get('requestLimit').ofAddress()
  return answer
}

/** The request's own, of which only those that a callee may know are sent (shared/dapr/invoke.ts). */
function headersOf(c: Context<AppEnv>, deps: GatewayDeps): Headers {
  const headers = new Headers(c.req.raw.headers)
  for (const name of ['tracestate', 'x-forwarded-for', 'x-forwarded-proto']) headers.delete(name)
  const { traceparent, tracestate } = c.get('trace')
  const ours = {
    traceparent,
    'x-request-id': c.get('requestId'),
    via: `1.1 ${NAME}`,
    ...(tracestate !== null && { tracestate }),
    ...forwardedFor(deps, c),
  }
  for (const [name, value] of Object.entries(ours)) headers.set(name, value)
  return headers
}

/** A second time, a key gets the stored answer and a precondition fails; neither changes anything. */
const isRepeatable = (c: Context): boolean =>
  c.req.method === 'GET' ||
  c.req.method === 'HEAD' ||
  c.req.header('idempotency-key') !== undefined ||
  (c.req.header('if-match') ?? '*').trim() !== '*'

/** Of one connection only (RFC 9110 §7.6.1), or of the sidecars. */
const NOT_OURS =
  /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|traceparent|tracestate|dapr-.*)$/

function endToEnd(given: Headers): Headers {
  const headers = new Headers(given)
  const named = (given.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase())
  // fetch has decoded the body, which these do not describe any more.
  if (headers.has('content-encoding')) named.push('content-encoding', 'content-length')
  for (const name of given.keys()) if (NOT_OURS.test(name) || named.includes(name)) headers.delete(name)
  return headers
}
