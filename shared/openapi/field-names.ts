import type { z } from 'zod'
import { jsonSchema, type JsonSchema } from './openapi-schemas.ts'

const known = new WeakMap<z.ZodType, JsonSchema>()

/** The names of the fields that a value may have at this place, in any of its forms. */
export function fieldNames(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root = known.get(schema) ?? jsonSchema(schema, 'input')
  known.set(schema, root)
  const forms = path.reduce<JsonSchema[]>(
    (at, key) => at.flatMap((form) => formsOf(root, partOf(form, key))),
    formsOf(root, root),
  )
  return [...new Set(forms.flatMap(({ properties }) => Object.keys(properties ?? {})))]
}

function partOf({ properties, items, additionalProperties }: JsonSchema, key: PropertyKey): unknown {
  if (typeof key === 'number') return items
  const fields = (properties ?? {}) as Record<PropertyKey, unknown>
  return Object.hasOwn(fields, key) ? fields[key] : additionalProperties
}

interface Forms extends JsonSchema {
  $ref?: string
  $defs?: Record<string, JsonSchema>
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
}

/** The forms of a schema that is a union, a reference, or neither. */
function formsOf(root: Forms, schema: unknown): JsonSchema[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { $ref, anyOf = [], oneOf = [], allOf = [] } = schema as Forms
  const definition = $ref === undefined ? [] : [root.$defs?.[$ref.replace('#/$defs/', '')]]
  const parts = [...definition, ...anyOf, ...oneOf, ...allOf]
  return [schema as JsonSchema, ...parts.flatMap((part) => formsOf(root, part))]
}
