export interface Schema {
  [keyword: string]: unknown
  properties?: Record<string, Schema>
  required?: string[]
}

interface Known {
  apiVersion: string
  kind: string
}

const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
/** What an API server takes as it is. */
const ANYTHING = [
  'JSON',
  'JSONSchemaPropsOrArray',
  'JSONSchemaPropsOrBool',
  'JSONSchemaPropsOrStringArray',
].map((name) => `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.${name}`)
const DRAFT = 'http://json-schema.org/draft-07/schema#'

/** The definitions of a swagger document as JSON schemas that take no field they do not know. */
export function strictCore(definitions: Readonly<Record<string, Schema>>) {
  const strict: Record<string, Schema> = Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [name, core(definition) as Schema]),
  )
  strict[QUANTITY] = {
    oneOf: [{ type: 'string', pattern: '^[+-]?[0-9.]+([eEinumkKMGTP]*[-+]?[0-9]*)$' }, { type: 'number' }],
  }
  for (const name of ANYTHING) strict[name] = {}

  /** With all that it refers to. */
  const complete = (schema: Schema, { apiVersion, kind }: Known): Schema => ({
    ...schema,
    $schema: DRAFT,
    properties: { ...schema.properties, apiVersion: { const: apiVersion }, kind: { const: kind } },
    required: [...new Set([...(schema.required ?? []), 'apiVersion', 'kind', 'metadata'])],
    definitions: reached(schema, strict),
  })

  return {
    /** A kind by the name of its definition; null for what is no object of its own. */
    kind: (name: string, known: Known): Schema | null =>
      strict[name]?.properties?.['metadata'] ? complete(strict[name], known) : null,
    withMetadata: (schema: Schema, known: Known): Schema =>
      complete(
        {
          additionalProperties: false,
          ...schema,
          properties: { ...schema.properties, metadata: { $ref: `#/definitions/${METADATA}` } },
        },
        known,
      ),
  }
}

function core(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(core)
  if (schema === null || typeof schema !== 'object') return schema
  const given = schema as Schema
  if (given['format'] === 'int-or-string') return { oneOf: [{ type: 'string' }, { type: 'integer' }] }
  const kept = Object.entries(given).filter(([key]) => !isLeftOut(key))
  const made: Schema = Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'properties') return [key, mapped(value as Record<string, Schema>, core)]
      return [key, key === 'enum' || key === 'required' ? value : core(value)]
    }),
  )
  if (made.properties && made['additionalProperties'] === undefined) made['additionalProperties'] = false
  return made
}

/** A structural schema of a custom resource, likewise. What stands in `allOf` and the like only adds to others. */
export function strictCustom(schema: Schema, isPart = false): Schema {
  const kept = Object.entries(schema).filter(([key]) => !isLeftOut(key) && key !== 'nullable')
  const made: Schema = Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'properties')
        return [key, mapped(value as Record<string, Schema>, (each) => strictCustom(each, isPart))]
      if (key === 'items' || key === 'not')
        return [key, strictCustom(value as Schema, isPart || key === 'not')]
      if (key === 'additionalProperties' && typeof value === 'object')
        return [key, strictCustom(value as Schema, isPart)]
      if (key === 'allOf' || key === 'anyOf' || key === 'oneOf') {
        return [key, (value as Schema[]).map((each) => strictCustom(each, true))]
      }
      return [key, value]
    }),
  )
  if (schema['x-kubernetes-int-or-string']) {
    delete made['type']
    if (!made['anyOf'] && !made['oneOf']) made['anyOf'] = [{ type: 'integer' }, { type: 'string' }]
  }
  const isOpen = Boolean(
    schema['x-kubernetes-preserve-unknown-fields'] ?? schema['x-kubernetes-embedded-resource'],
  )
  if (!isPart && made.properties && made['additionalProperties'] === undefined && !isOpen) {
    made['additionalProperties'] = false
  }
  if (schema['nullable'] && made['type']) made['type'] = [made['type'], 'null'].flat()
  return made
}

const isLeftOut = (key: string): boolean =>
  key.startsWith('x-kubernetes') || key === 'description' || key === 'default' || key === 'format'

const mapped = (properties: Record<string, Schema>, to: (schema: Schema) => unknown) =>
  Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, to(each)]))

function reached(schema: unknown, definitions: Record<string, Schema>, found: Record<string, Schema> = {}) {
  if (schema === null || typeof schema !== 'object') return found
  const ref = (schema as { $ref?: unknown }).$ref
  if (typeof ref === 'string') {
    const name = ref.replace('#/definitions/', '')
    const definition = definitions[name]
    if (definition && !found[name]) {
      found[name] = definition
      reached(definition, definitions, found)
    }
  }
  for (const value of Object.values(schema)) reached(value, definitions, found)
  return found
}
