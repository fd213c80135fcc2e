import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'

export type JsonSchema = Record<string, unknown>

/**
 * Turns zod schemas into JSON Schema 2020-12 for one document: a schema with `.meta({ id })` becomes a component and is
 * referred to, everything else stays where it is used.
 */
export function componentSchemas() {
  const components = new Map<string, JsonSchema>()

  const schemaOf = (schema: z.ZodType, as: 'input' | 'body' | 'output'): JsonSchema => {
    const converted = as === 'body' ? bodyJsonSchema(schema) : jsonSchema(schema, as)
    const { $schema: _dialect, $defs, ...rest } = converted
    for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, JsonSchema>)) {
      const component = pointToComponents(definition)
      const known = components.get(id)
      if (known && !isDeepStrictEqual(known, component)) {
        throw new Error(`Two different schemas are called ${id}; give one of them another .meta({ id }).`)
      }
      components.set(id, component)
    }
    return pointToComponents(rest)
  }

  const resolve = (schema: JsonSchema): JsonSchema => {
    const id = typeof schema.$ref === 'string' ? schema.$ref.replace('#/components/schemas/', '') : undefined
    return (id !== undefined && components.get(id)) || schema
  }

  return {
    schemaOf,
    /** Follows a reference to a component; any other schema is returned as it is. */
    resolve,
    propertiesOf: (schema: JsonSchema) => (resolve(schema).properties ?? {}) as Record<string, JsonSchema>,
    all: () => Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** The JSON Schema of one zod schema, without the regular expressions that only repeat what `format` says. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema: json }) => simplify(zodSchema, json),
  })
}

/** Defaults in words: generators of clients take a field with a `default` for one that must be sent. */
function bodyJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema: json }) => {
      simplify(zodSchema, json)
      if (json.default === undefined) return
      const said = `Default: ${JSON.stringify(json.default)}`
      json.description = json.description === undefined ? said : `${json.description}. ${said}`
      delete json.default
    },
  })
}

function simplify(zodSchema: z.core.$ZodTypes, json: z.core.JSONSchema.BaseSchema): void {
  if (json.format === 'uuid' || json.format === 'date') delete json.pattern
  if (json.format === 'date-time') {
    const definition = zodSchema._zod.def as { precision?: number | null }
    if (typeof definition.precision === 'number') json.pattern = `\\.\\d{${definition.precision}}Z$`
    else delete json.pattern
  }
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
}

function pointToComponents(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema)
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema
}
