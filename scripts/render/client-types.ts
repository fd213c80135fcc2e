import type { JsonSchema } from '../../shared/openapi/openapi-schemas.ts'
import { header } from './generated.ts'

/** What the client library (web/client/) speaks of. */
const NAMES = ['Task', 'SyncResult', 'Snapshot']

/** The types of some schemas of the API document, with those that they name. */
export function clientTypes(document: object): string {
  const { schemas } = (document as { components: { schemas: Record<string, JsonSchema> } }).components
  const wanted = new Set(NAMES.filter((name) => name in schemas))
  for (const name of wanted) {
    for (const [, named] of JSON.stringify(schemas[name]).matchAll(/#\/components\/schemas\/([A-Za-z]\w+)/g))
      wanted.add(named!)
  }
  const types = [...wanted]
    .toSorted()
    .map((name) => `${NAMES.includes(name) ? 'export ' : ''}type ${name} = ${typeOf(schemas[name]!)}\n`)
  return header('the functions', '//') + types.join('\n')
}

function typeOf(schema: JsonSchema): string {
  const {
    $ref,
    enum: values,
    const: value,
    anyOf,
    oneOf,
    type,
    items,
    properties,
    additionalProperties,
  } = schema as Record<string, never>
  // Of any JSON there is no type.
  if ($ref) return /\/([A-Za-z]\w+)$/.exec($ref)?.[1] ?? 'unknown'
  if (values) return (values as unknown[]).map((one) => JSON.stringify(one)).join(' | ')
  if (value !== undefined) return JSON.stringify(value)
  const forms = (anyOf ?? oneOf) as JsonSchema[] | undefined
  if (forms) return union(forms)
  if (Array.isArray(type)) return union((type as string[]).map((one) => ({ ...schema, type: one })))
  if (type === 'array') return `(${typeOf(items ?? {})})[]`
  if (type === 'object' && properties) return objectOf(schema)
  if (type === 'object') return `Record<string, ${typeOf(additionalProperties || {})}>`
  return SIMPLE[String(type)] ?? 'unknown'
}

/** A text of a certain form is a text. */
function union(forms: readonly JsonSchema[]): string {
  const types = new Set(forms.flatMap((form) => typeOf(form).split(' | ')))
  return [...types].filter((type) => !types.has('string') || !type.startsWith('"')).join(' | ')
}

const SIMPLE: Record<string, string> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
}

function objectOf({ properties, required = [] }: JsonSchema): string {
  const fields = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, field]) => `  ${name}${(required as string[]).includes(name) ? '' : '?'}: ${typeOf(field)}`,
  )
  return `{\n${fields.join('\n')}\n}`
}
