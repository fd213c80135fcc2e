import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { readFileSync } from 'node:fs'
import type { Answer, OpenApiDocument, Operation } from '../../shared/openapi/openapi.ts'
import type { JsonSchema } from '../../shared/openapi/openapi-schemas.ts'
import { ROOT } from './source-files.ts'

/** docs/openapi.json as tests drive it: what is documented there must be what runs. */
export interface ApiOperation extends Operation {
  method: string
  /** As documented, such as `/api/tasks/{id}`. */
  path: string
  successStatus: number
}

export const apiDocument = JSON.parse(readFileSync(`${ROOT}docs/openapi.json`, 'utf8')) as OpenApiDocument

export const apiOperations: ApiOperation[] = Object.entries(apiDocument.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({
    ...operation,
    method: method.toUpperCase(),
    path,
    successStatus: Number(Object.keys(operation.responses).find((status) => status.startsWith('2'))),
  })),
)

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(apiDocument, 'openapi')

/** Follows a reference within the document. */
function resolve<T extends object>(value: T | { $ref: string }): { value: T; pointer: string | null } {
  if (!('$ref' in value)) return { value, pointer: null }
  const target = value.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], apiDocument)
  return { value: target as T, pointer: value.$ref.slice(1) }
}

const escape = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')
const validators = new Map<string, ValidateFunction>()

function validatorAt(pointer: string): ValidateFunction {
  const known = validators.get(pointer)
  if (known) return known
  const validate = ajv.compile({ $ref: `openapi#${encodeURI(pointer)}` })
  validators.set(pointer, validate)
  return validate
}

/** What an answer got, read once. */
export interface Got {
  status: number
  headers: Headers
  text: string
}

/** Everything in which an answer differs from what the document promises; empty when it keeps its word. */
export function breaches(operation: ApiOperation, got: Got): string[] {
  const documented = operation.responses[String(got.status)]
  if (!documented) return [`status ${got.status} is not documented: ${got.text.slice(0, 300)}`]
  const { value: answer, pointer } = resolve<Answer>(documented)
  const place =
    pointer ??
    `/paths/${escape(operation.path)}/${operation.method.toLowerCase()}/responses/${String(got.status)}`
  return [...headerBreaches(answer, got), ...bodyBreaches(answer, place, got)]
}

/** Everything that makes an answer unfit for hostile input: a 5xx, or a refusal that is no problem document. */
export function problemBreaches(got: Got): string[] {
  if (got.status < 400) return []
  if (got.status >= 500) return [`status ${got.status}: ${got.text.slice(0, 300)}`]
  const type = got.headers.get('content-type')
  if (type !== 'application/problem+json') return [`a ${got.status} of content type ${String(type)}`]
  const validate = validatorAt('/components/schemas/Problem')
  return validate(JSON.parse(got.text))
    ? []
    : [`a ${got.status} that is no problem document: ${got.text.slice(0, 300)}`]
}

function headerBreaches(answer: Answer, got: Got): string[] {
  const promised = Object.entries(answer.headers ?? {}).filter(([name]) => name !== 'Idempotency-Replayed')
  return [
    ...promised.flatMap(([name, { schema }]) => {
      const value = got.headers.get(name)
      if (value === null) return [`header ${name} is missing`]
      return ajv.validate(schema, value) ? [] : [`header ${name} does not fit its schema`]
    }),
    ...(got.headers.get('x-request-id') ? [] : ['header X-Request-Id is missing']),
    ...(answer.headers?.['Cache-Control'] || got.headers.get('cache-control') === 'no-store'
      ? []
      : ['caches may keep it']),
    ...(got.headers.get('etag') && !answer.headers?.ETag && got.status !== 304
      ? ['ETag is not documented']
      : []),
  ]
}

function bodyBreaches(answer: Answer, place: string, got: Got): string[] {
  if (!answer.content) return got.text === '' ? [] : [`a body is not documented: ${got.text.slice(0, 200)}`]
  const type = got.headers.get('content-type')?.split(';')[0] ?? ''
  if (!answer.content[type]) return [`content type ${type} is not documented`]
  const validate = validatorAt(`${place}/content/${escape(type)}/schema`)
  if (validate(type === 'application/json' || type.endsWith('+json') ? JSON.parse(got.text) : got.text))
    return []
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`)
}

/** The schema of the JSON body, with references to components followed; null when the operation takes none. */
export function bodySchema(operation: ApiOperation): JsonSchema | null {
  const schema = operation.requestBody?.content['application/json']?.schema
  return schema ? follow(schema) : null
}

/** What the document says can be sent. */
export const bodyExample = (operation: ApiOperation): unknown =>
  operation.requestBody?.content['application/json']?.example

/** In what the example of a request differs from its schema. */
export function exampleBreaches({ operationId, path, method, requestBody }: ApiOperation): string[] {
  return Object.entries(requestBody?.content ?? {}).flatMap(([type, { example }]) => {
    if (example === undefined) return [`${operationId} has no example`]
    const place = `/paths/${escape(path)}/${method.toLowerCase()}/requestBody/content/${escape(type)}/schema`
    const validate = validatorAt(place)
    return validate(example) ? [] : [`${operationId}: ${ajv.errorsText(validate.errors)}`]
  })
}

export function follow(schema: JsonSchema): JsonSchema {
  return resolve<JsonSchema>(schema).value
}

/** A value that fits a schema: its example or default where it has one, else the plainest. Optional fields stay out. */
export function exampleOf(given: JsonSchema): unknown {
  const schema = follow(given)
  const { examples, anyOf, oneOf, allOf } = schema as Record<string, unknown[] | undefined>
  if (examples?.length) return examples[0]
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const branch = (anyOf ?? oneOf ?? allOf)?.[0]
  if (branch) return exampleOf(branch as JsonSchema)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object') {
    const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
    const required = (schema.required ?? []) as string[]
    return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {})]))
  }
  if (type === 'array') {
    return Array.from({ length: Number(schema.minItems ?? 0) }, () =>
      exampleOf((schema.items ?? {}) as JsonSchema),
    )
  }
  if (type === 'string') return exampleText(schema)
  if (type === 'integer' || type === 'number') return schema.minimum ?? schema.exclusiveMinimum ?? 1
  return type === 'boolean' ? true : null
}

function exampleText(schema: JsonSchema): string {
  const byFormat: Record<string, string> = {
    uuid: '0199d0a0-0000-7000-8000-000000000000',
    date: '2027-03-01',
    'date-time': '2027-03-01T09:00:00.000Z',
    email: 'ada@example.org',
  }
  return byFormat[String(schema.format)] ?? 'x'.repeat(Number(schema.minLength ?? 1))
}
