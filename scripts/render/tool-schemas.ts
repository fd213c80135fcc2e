import type { JsonSchema } from '../../shared/openapi/openapi-schemas.ts'

type Definitions = Record<string, JsonSchema>

const MOMENT = 'RFC 3339, or without offset: local time'

/**
 * A schema in as few words as a model needs to fill it in: definitions where they are used, alternatives of a text as a text,
 * null as a type. What this leaves out the function still checks.
 */
export function inputShape(given: JsonSchema, definitions: Definitions): JsonSchema {
  const schema = resolve(given, definitions)
  const {
    anyOf,
    properties,
    items,
    additionalProperties: _closed,
    $schema: _dialect,
    $defs: _own,
    ...own
  } = schema
  delete own.id
  if (own.format === 'uuid' || own.format === 'date-time') delete own.format
  if (own.default === null || (Array.isArray(own.default) && own.default.length === 0)) delete own.default
  if (own.minLength === 0) delete own.minLength
  if (items) return { ...own, items: inputShape(items as JsonSchema, definitions) }
  if (properties) return { ...own, properties: shapesOf(properties as Definitions, definitions) }
  return anyOf ? { ...own, ...alternatives(anyOf as JsonSchema[], definitions) } : own
}

const shapesOf = (properties: Definitions, definitions: Definitions): Definitions =>
  Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, inputShape(schema, definitions)]),
  )

function alternatives(anyOf: readonly JsonSchema[], definitions: Definitions): JsonSchema {
  const shapes = anyOf.map((each) => inputShape(each, definitions))
  const values = shapes.filter(({ type }) => type !== 'null')
  const isNullable = values.length < shapes.length
  const isText = values.every(({ type }) => type === 'string' || isNullableText(type))
  const hasMoment = anyOf.some(({ format }) => format === 'date-time')
  const value: JsonSchema =
    values.length === 1
      ? values[0]!
      : isText
        ? { type: 'string', ...(hasMoment && { description: MOMENT }) }
        : { anyOf: values }
  if (!isNullable || value.type === undefined) return value
  return {
    ...value,
    type: [value.type, 'null'].flat(),
    ...(Array.isArray(value.enum) && { enum: [...(value.enum as unknown[]), null] }),
  }
}

const isNullableText = (type: unknown): boolean => Array.isArray(type) && type[0] === 'string'

/** Of a result only names and types: a model reads what is there. */
export function outputShape(given: JsonSchema, definitions: Definitions): JsonSchema {
  const { type, properties, items, anyOf } = resolve(given, definitions)
  if (anyOf) {
    const values = (anyOf as JsonSchema[]).filter((each) => each.type !== 'null')
    return values.length === 1 ? outputShape(values[0]!, definitions) : {}
  }
  if (items) return { type: 'array', items: outputShape(items as JsonSchema, definitions) }
  if (!properties) return typeof type === 'string' ? { type } : {}
  const entries = Object.entries(properties as Definitions)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, each]) => [name, outputShape(each, definitions)])),
  }
}

export function resolve(schema: JsonSchema, definitions: Definitions): JsonSchema {
  if (typeof schema.$ref !== 'string') return schema
  const { $ref, ...own } = schema
  return { ...resolve(definitions[$ref.replace('#/$defs/', '')] ?? {}, definitions), ...own }
}
