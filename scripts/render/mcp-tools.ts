import { z } from 'zod'
import type { Scope } from '../../shared/domain/scopes.ts'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import type { ToolSpec } from '../../shared/openapi/tool-spec.ts'
import type { Tool } from '../../shared/mcp/tool.ts'
import { jsonSchema, type JsonSchema } from '../../shared/openapi/openapi-schemas.ts'
import { json } from './generated.ts'
import { inputShape, outputShape, resolve } from './tool-schemas.ts'
import type { Code } from './units.ts'

/** What agents may call, as MCP describes tools, and what they may not, with the reason. */
export function mcpTools({ functions }: Pick<Code, 'functions'>, version: string): string {
  const http = functions.filter((fn) => fn.kind === 'http')
  return json({
    $comment: 'Generated from the functions by npm run render; not to be edited.',
    version,
    tools: http.flatMap((fn) => (reasonAgainst(fn) === null ? toolsOf(fn) : [])),
    not_tools: http.flatMap((fn) => {
      const reason = reasonAgainst(fn)
      return reason === null ? [] : [{ function: fn.name, reason }]
    }),
  })
}

function reasonAgainst({ spec }: HttpFunction): string | null {
  if (spec.auth === 'none') return 'open to everyone, also without a token'
  if (spec.events) return 'a live stream'
  if (spec.download !== undefined) return 'a download of any size'
  return spec.noTool ?? null
}

const toolsOf = (fn: HttpFunction): Tool[] => [fn.spec.tool ?? {}].flat().map((tool) => toolOf(fn, tool))

function toolOf({ name, method, path, spec }: HttpFunction, tool: ToolSpec): Tool {
  const isRetrySafe = spec.retrySafe === true
  const takesVersion = isRetrySafe && method !== 'GET' && spec.params !== undefined
  const destroys = method === 'DELETE'
  const params = renamed(partOf(spec.params), path)
  const query = reduced(partOf(spec.query), tool)
  const body = reduced(partOf(spec.body), tool)
  const parts = [params, query, body]
  const properties = Object.assign({}, ...parts.map((part) => part.properties)) as Record<string, JsonSchema>
  for (const [field, value] of Object.entries(tool.defaults ?? {})) {
    properties[field] = { ...properties[field], default: value }
  }
  const required = [...new Set([...parts.flatMap((part) => part.required), ...(tool.needs ?? [])])]
  const hides = tool.hides ?? []
  const outputSchema = partOf(spec.output, 'output').shape as Tool['outputSchema'] | null
  for (const name of hides) delete outputSchema?.properties[name]
  return {
    name: tool.name ?? ownName(name),
    description: tool.description ?? spec.summary,
    inputSchema: {
      type: 'object',
      properties: {
        ...properties,
        ...(takesVersion && {
          if_version: { type: 'integer', description: 'Refuse if it has another version' },
        }),
        ...(isRetrySafe && {
          idempotency_key: { type: 'string', description: 'Done once, however often it is sent' },
        }),
        ...(destroys && {
          confirm: { type: 'boolean', description: 'true: do it; else only say what would go' },
        }),
      },
      ...(required.length > 0 && { required }),
      ...examplesOf(spec.body, properties, params),
    },
    ...(outputSchema && { outputSchema }),
    annotations: {
      ...(method === 'GET' ? { readOnlyHint: true } : { destructiveHint: method !== 'POST' }),
      ...(method !== 'GET' && method !== 'POST' && { idempotentHint: true }),
      openWorldHint: false,
    },
    call: {
      function: name,
      scope: spec.auth as Scope,
      method,
      path,
      params: params.names,
      query: Object.keys(query.properties),
      body: spec.body ? Object.keys(body.properties) : null,
      hides,
      defaults: tool.defaults ?? {},
      takesIdempotencyKey: isRetrySafe,
      takesVersion,
      creates: isRetrySafe && spec.status === 201,
      destroys,
    },
  }
}

/** That of the body, as far as the tool has its fields, with an id for each parameter. */
function examplesOf(
  body: unknown,
  properties: Record<string, JsonSchema>,
  { required: ids }: Part,
): { examples?: object[] } {
  if (!(body instanceof z.ZodType)) return {}
  const { examples: [example] = [] } = (body.meta() ?? {}) as { examples?: object[] }
  if (!example) return {}
  const fields = Object.entries(example).filter(([name]) => Object.hasOwn(properties, name))
  return {
    examples: [{ ...Object.fromEntries(ids.map((id) => [id, EXAMPLE_ID])), ...Object.fromEntries(fields) }],
  }
}

const EXAMPLE_ID = '0199d0a0-0000-7000-8000-000000000000'

const ownName = (name: string): string => (name.split('/')[1] ?? '').replaceAll('-', '_')

interface Part {
  properties: Record<string, JsonSchema>
  required: string[]
}

function partOf(part: unknown, io: 'input' | 'output' = 'input'): Part & { shape: JsonSchema | null } {
  if (!(part instanceof z.ZodType)) return { properties: {}, required: [], shape: null }
  const { $defs = {}, ...whole } = jsonSchema(part, io)
  const definitions = $defs as Record<string, JsonSchema>
  const schema = resolve(whole, definitions)
  const isObject = schema.type === 'object' && schema.properties !== undefined
  // Of a body in one of several forms the fields of all: the function says which belong together.
  const forms = (schema.anyOf as JsonSchema[] | undefined)?.map((form) => resolve(form, definitions)) ?? [
    schema,
  ]
  const fields = Object.assign({}, ...forms.map((form) => form.properties ?? {})) as Record<
    string,
    JsonSchema
  >
  const needed = forms.map((form) => (form.required ?? []) as string[])
  return {
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, inputShape(field, definitions)]),
    ),
    required: needed[0]!.filter((name) => needed.every((names) => names.includes(name))),
    shape: io === 'output' && isObject ? outputShape(schema, definitions) : null,
  }
}

const without = (part: Part, names: readonly string[]): Part => ({
  properties: Object.fromEntries(Object.entries(part.properties).filter(([name]) => !names.includes(name))),
  required: part.required.filter((name) => !names.includes(name)),
})

const reduced = (part: Part, tool: ToolSpec): Part => without(part, tool.without ?? [])

/** Which resource a parameter names: `/api/tasks/:id/complete` takes `task_id`. */
function renamed(part: Part, path: string): Part & { names: Record<string, string> } {
  const pairs = [...path.matchAll(/([\w-]+)\/:(\w+)/g)].map(([, collection = '', parameter = '']) => {
    const one = collection.replace(/s$/, '').replaceAll('-', '_')
    return [parameter === 'id' ? `${one}_id` : parameter, parameter] as const
  })
  return {
    properties: Object.fromEntries(
      pairs.map(([name, parameter]) => [name, part.properties[parameter] ?? {}]),
    ),
    required: pairs.map(([name]) => name),
    names: Object.fromEntries(pairs),
  }
}
