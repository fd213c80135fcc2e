import { Hono } from 'hono'
import { z } from 'zod'
import { findComponent, type SidecarContext } from './context.ts'
import { apiError, malformedRequest, messageOf } from './errors.ts'
import { HTTP_OPERATIONS, invokeHttp } from './http-binding.ts'
import { readText } from './requests.ts'
import type { Component } from './resources.ts'

export interface BindingRequest {
  readonly operation: string
  /** JSON text of what the caller gave as `data`. */
  readonly data: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface BindingAnswer {
  readonly body: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
  /** The call failed though there is an answer. */
  readonly error?: string
}

type Invoke = (
  context: SidecarContext,
  component: Component,
  request: BindingRequest,
) => Promise<BindingAnswer>

const TYPES: Record<string, { operations: readonly string[]; invoke: Invoke }> = {
  'bindings.http': { operations: HTTP_OPERATIONS, invoke: invokeHttp },
}

const Body = z.object({
  operation: z.string().default(''),
  data: z.unknown().optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
})

/** `POST /bindings/{name}`: calls an output binding. */
export function bindingRoutes(context: SidecarContext): Hono {
  const app = new Hono()
  app.on(['POST', 'PUT'], '/v1.0/bindings/:name', async (c) => {
    const name = c.req.param('name')
    const request = await readText(c.req.raw)
      .then((text) => Body.parse(JSON.parse(text)))
      .catch((error: unknown) => {
        throw malformedRequest(messageOf(error))
      })
    const fail = (reason: string) =>
      apiError(500, 'ERR_INVOKE_OUTPUT_BINDING', `error invoking output binding ${name}: ${reason}`)
    if (request.operation === '') throw fail('operation field is missing from request')
    const component = findComponent(context, name, 'bindings.')
    const type = component && TYPES[component.type]
    if (!component || !type) throw fail(`couldn't find output binding ${name}`)
    if (!type.operations.includes(request.operation)) {
      const supported = type.operations.join(' ')
      throw fail(
        `binding ${name} does not support operation ${request.operation}. supported operations:${supported}`,
      )
    }

    const trace = c.req.header('traceparent')
    const metadata = { ...request.metadata, ...(trace !== undefined && { traceparent: trace }) }
    let answer: BindingAnswer
    try {
      const data = JSON.stringify(request.data ?? null)
      answer = await type.invoke(context, component, { operation: request.operation, data, metadata })
    } catch (error) {
      throw fail(messageOf(error))
    }
    for (const [key, value] of Object.entries(answer.metadata)) c.header(`metadata.${key}`, value)
    if (answer.error !== undefined) {
      const { body } = fail(answer.error)
      return c.json(body, 500)
    }
    return c.body(answer.body as Uint8Array<ArrayBuffer>, 200, { 'content-type': 'application/json' })
  })
  return app
}
