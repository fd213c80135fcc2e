import type { BindingAnswer, BindingRequest } from './bindings.ts'
import type { SidecarContext } from './context.ts'
import { parseGoDuration } from './durations.ts'
import { metadataValue, type Component } from './resources.ts'

export const HTTP_OPERATIONS = ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace']

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])
const isTruthy = (text: string): boolean => /^(?:y|yes|true|t|on|1)$/i.test(text)

/** Sends a request to the component's `url`, as components-contrib bindings/http. */
export async function invokeHttp(
  context: SidecarContext,
  component: Component,
  { operation, data, metadata }: BindingRequest,
): Promise<BindingAnswer> {
  const setting = (name: string) => metadataValue(component, name, context.env) ?? ''
  const base = setting('url')
  const url = metadata.path ? `${base.replace(/\/+$/, '')}/${metadata.path.replace(/^\/+/, '')}` : base
  const method = operation === 'create' ? 'POST' : operation.toUpperCase()

  const headers = new Headers({ Accept: 'application/json; charset=utf-8' })
  if (WITH_BODY.has(method)) headers.set('Content-Type', 'application/json; charset=utf-8')
  if (setting('securityToken') && setting('securityTokenHeader')) {
    headers.set(setting('securityTokenHeader'), setting('securityToken'))
  }
  for (const [name, value] of Object.entries(metadata)) if (/^[A-Z]/.test(name)) headers.set(name, value)
  if (metadata.traceparent) headers.set('traceparent', metadata.traceparent)

  const timeoutMs = parseGoDuration(setting('responseTimeout'))
  const response = await context.fetch(url, {
    method,
    headers,
    ...(WITH_BODY.has(method) && { body: data }),
    ...(timeoutMs !== null && { signal: AbortSignal.timeout(timeoutMs) }),
  })
  const answer = {
    body: new Uint8Array(await response.arrayBuffer()),
    metadata: {
      ...Object.fromEntries(response.headers),
      statusCode: String(response.status),
      status: `${response.status} ${response.statusText}`.trim(),
    },
  }
  const failsOnStatus = metadata.errorIfNot2XX || setting('errorIfNot2XX') || 'true'
  if (response.ok || !isTruthy(failsOnStatus)) return answer
  return { ...answer, error: `received status code ${response.status}` }
}
