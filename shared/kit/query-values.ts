import type { z } from 'zod'
import { jsonSchema, type JsonSchema } from '../openapi/openapi-schemas.ts'
import { onlyOne, type QueryTexts } from './request.ts'

/**
 * Query schemas are about JSON values: flags, whole numbers, lists. A URL has texts, so this reads each text as the type
 * its schema wants: `true`, `50`, `a,b`. A text that is none of that type stays one, and the schema refuses it. A list is one text
 * with commas, or several of an entry each; 422 for any other name that is given more than once.
 */
export function queryReader(schema: z.ZodType): (query: QueryTexts) => Record<string, unknown> {
  // With the first request: a process that starts for one request need not convert the schemas of all.
  let properties: Record<string, JsonSchema> | undefined
  return (query) => {
    const known = (properties ??= (jsonSchema(schema, 'input').properties ?? {}) as Record<
      string,
      JsonSchema
    >)
    return Object.fromEntries(
      Object.entries(query).map(([name, texts]) => {
        const wanted = Object.hasOwn(known, name) ? known[name]! : {}
        return [name, wanted.type === 'array' ? listOf(texts, wanted) : valueOf(onlyOne(name, texts), wanted)]
      }),
    )
  }
}

/** What is blank between commas is no entry, but a list of nothing else is refused as such by its schema. */
function listOf(texts: readonly string[], { items = {} }: JsonSchema): unknown[] {
  const all = texts.length === 1 ? texts[0]!.split(',') : texts
  const entries = all.filter((entry) => entry.trim() !== '')
  if (entries.length === 0 && all.length > 1) return ['']
  return entries.map((entry) => valueOf(entry, items as JsonSchema))
}

function valueOf(text: string, schema: JsonSchema): unknown {
  switch (schema.type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'integer':
      return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text
    default:
      return text
  }
}
