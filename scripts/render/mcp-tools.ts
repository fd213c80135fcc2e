import { z } from 'zod'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { jsonSchema, type JsonSchema } from '../../shared/openapi/openapi-schemas.ts'
import { json } from './generated.ts'
import type { Code } from './units.ts'

/** What an agent may call, as MCP describes tools: everything behind a scope but live streams. */
export function mcpTools({ functions }: Code): string {
  const tools = functions.flatMap((fn) =>
    fn.kind === 'http' && fn.spec.auth !== 'none' && !fn.spec.events ? [toolOf(fn)] : [],
  )
  return json({ $comment: 'Generated from the functions by npm run render; not to be edited.', tools })
}

function toolOf({ name, method, path, spec }: HttpFunction) {
  const params = partOf(spec.params)
  const query = partOf(spec.query)
  const body = partOf(spec.body)
  // A body that is one of several forms, or that has a field named like a parameter, is an argument of its own.
  const names = [...Object.keys(params.properties), ...Object.keys(query.properties)]
  const isSpread = body.isObject && !names.some((each) => each in body.properties)
  const parts = isSpread ? [params, query, body] : [params, query]
  const own = spec.body && !isSpread ? { body: body.schema } : {}
  const required = [...parts.flatMap((part) => part.required), ...Object.keys(own)]
  const definitions = Object.assign({}, params.definitions, query.definitions, body.definitions) as JsonSchema
  return {
    name: name.split('/')[1]?.replaceAll('-', '_'),
    title: spec.summary,
    description: spec.summary,
    inputSchema: {
      type: 'object',
      properties: {
        ...Object.assign({}, ...parts.map(({ properties }) => properties)),
        ...own,
      } as JsonSchema,
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
    },
    annotations: {
      readOnlyHint: method === 'GET',
      destructiveHint: method === 'DELETE',
      idempotentHint: method !== 'POST',
      openWorldHint: false,
    },
    call: {
      function: name,
      scope: spec.auth,
      method,
      path,
      query: Object.keys(query.properties),
      body: spec.body ? (isSpread ? Object.keys(body.properties) : 'body') : null,
      takesIdempotencyKey: spec.retrySafe === true,
    },
  }
}

function partOf(part: unknown) {
  const whole = part instanceof z.ZodType ? jsonSchema(part, 'input') : {}
  const { $schema: _dialect, $defs: definitions = {}, ...schema } = whole
  const own = resolve(schema, definitions as Record<string, JsonSchema>)
  return {
    schema,
    definitions: definitions as Record<string, JsonSchema>,
    isObject: own.type === 'object' && own.anyOf === undefined,
    properties: (own.properties ?? {}) as Record<string, JsonSchema>,
    required: (own.required ?? []) as string[],
  }
}

const resolve = (schema: JsonSchema, definitions: Record<string, JsonSchema>): JsonSchema =>
  typeof schema.$ref === 'string' ? (definitions[schema.$ref.replace('#/$defs/', '')] ?? schema) : schema
