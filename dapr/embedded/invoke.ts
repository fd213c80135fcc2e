import { Hono } from 'hono'
import type { SidecarContext } from './context.ts'
import { apiError, messageOf } from './errors.ts'

export type App = (request: Request) => Promise<Response> | Response

export interface InvokeTargets {
  /** Other apps by app-id; the sidecar's own app is one without being named. */
  readonly apps: ReadonlyMap<string, App>
  readonly ownApp: App
  readonly appToken: string | undefined
}

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
]

/** `/invoke/{app-id}/method/{path}` with any verb: passes request and answer through. */
export function invokeRoutes(context: SidecarContext, targets: InvokeTargets): Hono {
  const app = new Hono()
  app.all('/v1.0/invoke/:appId/method/:path{.*}', async (c) => {
    const appId = decodeURIComponent(c.req.param('appId'))
    // An app-id may carry the namespace, of which there is one.
    const name = appId.replace(/\.default$/, '')
    const call = name === context.appId ? targets.ownApp : targets.apps.get(name)
    const fail = (reason: string) =>
      apiError(500, 'ERR_DIRECT_INVOKE', `failed to invoke, id: ${appId}, err: ${reason}`)
    if (!call) throw fail('no host found with the given ID')
    try {
      return withoutHopByHop(
        await call(forward(context, c.req.raw, { callee: name, path: c.req.param('path') }, targets)),
      )
    } catch (error) {
      throw fail(messageOf(error))
    }
  })
  return app
}

function forward(
  { appId }: SidecarContext,
  request: Request,
  { callee, path }: { callee: string; path: string },
  { appToken }: InvokeTargets,
): Request {
  const url = new URL(request.url)
  const headers = new Headers(request.headers)
  for (const name of [...HOP_BY_HOP, 'dapr-api-token', 'dapr-app-id']) headers.delete(name)
  // Set here and not taken from the caller, who could claim to be another.
  headers.set('dapr-caller-app-id', appId)
  headers.set('dapr-callee-app-id', callee)
  if (appToken !== undefined) headers.set('dapr-api-token', appToken)
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
  return new Request(`http://app/${encodeURI(path)}${url.search}`, {
    method: request.method,
    headers,
    redirect: 'manual',
    ...(hasBody && request.body && { body: request.body, duplex: 'half' }),
  })
}

function withoutHopByHop(response: Response): Response {
  const headers = new Headers(response.headers)
  for (const name of HOP_BY_HOP) headers.delete(name)
  return new Response(response.body, { status: response.status, headers })
}
