import { z } from 'zod'
import { SCOPES } from '../domain/scopes.ts'
import { DOWNLOAD_TYPES } from '../kit/edge/download-answer.ts'
import type { AnyHttpSpec, HttpFunction } from '../kit/http-function.ts'
import { componentSchemas, type JsonSchema } from './openapi-schemas.ts'
import { refusals, STATUS_DESCRIPTIONS, takesIfMatch } from './openapi-refusals.ts'
import { Problem } from '../kit/problem.ts'

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema: JsonSchema
  style?: 'form'
  explode?: false
}

interface Content {
  [mediaType: string]: {
    schema: JsonSchema
    /** Of a request: what works as it is. */
    example?: unknown
    /** Of a live stream: the JSON in `data` by the event's name. OpenAPI 3.1 has no word for it. */
    'x-events'?: Record<string, JsonSchema>
  }
}

export interface Answer {
  description: string
  headers?: Record<string, { description: string; schema: JsonSchema }>
  content?: Content
}

export interface Operation {
  operationId: string
  summary: string
  'x-also'?: readonly string[]
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, Answer | { $ref: string }>
}

export interface OpenApiDocument {
  openapi: string
  'x-generated-by': string
  info: { title: string; version: string; description: string }
  servers: { url: string }[]
  tags: { name: string; description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, Answer>
    securitySchemes: Record<string, object>
  }
}

const DESCRIPTION = `Times are RFC 3339 in UTC with milliseconds, dates are YYYY-MM-DD, ids are UUIDs.

Every error is a problem document (RFC 9457) with a stable \`code\`. Every answer carries \`X-Request-Id\`, which is the
request's own when it sent one. What is not public (the keys, this document) is \`Cache-Control: no-store\`.

Every write to tasks takes an \`Idempotency-Key\`: a retry with the same key, within 24 hours and with the same content, gets the
stored answer of the first attempt and \`Idempotency-Replayed: true\`. A write to one resource also takes \`If-Match\` with
its \`ETag\`, and is rejected with 412 when the resource has changed since.

Requests are limited per user, or per address without an access token, by a rate and a burst. An answer of an operation says how
many are left (\`RateLimit-Limit\`, \`RateLimit-Remaining\`, \`RateLimit-Reset\`), those of probes and those before any operation (413,
431, an unknown path) do not; further requests get 429 with \`Retry-After\`. A few
requests of a user run concurrently; others wait for them.

\`x-also\` names other paths of an operation. Where one has \`user_id\`, it must be the user of the access token (403
otherwise).`

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'string', pattern: '^\\d+$' } },
}

/**
 * The OpenAPI 3.1 document of the given functions, in the order of their paths. Everything in it is derived from the
 * specs, so it cannot promise what the kit does not do. `about` says of a service what it is for.
 */
export function openApiDocument(
  functions: readonly HttpFunction[],
  version: string,
  about: (service: string) => string,
): OpenApiDocument {
  const schemas = componentSchemas()
  const refusal = (status: number, description: string): Answer => ({
    description,
    ...(status === 429 && { headers: RETRY_AFTER }),
    content: { 'application/problem+json': { schema: schemas.schemaOf(Problem, 'output') } },
  })
  const paths: OpenApiDocument['paths'] = {}
  const services = new Set<string>()
  for (const fn of functions.toSorted((a, b) => compare(a.path, b.path))) {
    const [service = '', basename = ''] = fn.name.split('/')
    services.add(service)
    const operations = (paths[documented(fn.path)] ??= {})
    const { spec } = fn
    operations[fn.method.toLowerCase()] = {
      operationId: basename.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      summary: spec.summary,
      ...(spec.also && { 'x-also': spec.also.map(documented) }),
      tags: [service],
      security: securityOf(spec),
      ...describe(fn, schemas, refusal),
    }
  }
  return {
    openapi: '3.1.1',
    'x-generated-by': 'Generated from functions/** by npm run render; not to be edited.',
    info: { title: 'Daybook', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: [...services].toSorted().map((name) => ({ name, description: about(name) })),
    paths,
    components: {
      schemas: schemas.all(),
      responses: Object.fromEntries(
        Object.entries(STATUS_DESCRIPTIONS).map(([status, description]) => [
          `Refusal${status}`,
          refusal(Number(status), description),
        ]),
      ),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `Each operation names the scope it needs; the token of a session has them all.\n\n${SCOPE_TABLE}`,
        },
        ticket: {
          type: 'apiKey',
          in: 'query',
          name: 'ticket',
          description: 'From POST /api/auth/ticket: opens one stream within 30 seconds',
        },
      },
    },
  }
}

const SCOPE_TABLE = [
  '| scope | allows |',
  '|---|---|',
  ...Object.entries(SCOPES).map(([scope, meaning]) => `| \`${scope}\` | ${meaning} |`),
].join('\n')

const documented = (path: string): string => path.replaceAll(/:(\w+)(\{[^}]*\})?\??/g, '{$1}')

function securityOf({ auth, ticket }: AnyHttpSpec): Operation['security'] {
  if (auth === 'none') return []
  return ticket ? [{ bearer: [auth] }, { ticket: [] }] : [{ bearer: [auth] }]
}

type Schemas = ReturnType<typeof componentSchemas>

function describe(
  fn: HttpFunction,
  schemas: Schemas,
  refusal: (status: number, description: string) => Answer,
) {
  const { spec } = fn
  const output = spec.output && schemas.schemaOf(spec.output, 'output')
  const isVersioned = output !== undefined && 'version' in schemas.propertiesOf(output)
  const readsIfNoneMatch = fn.method === 'GET' && isVersioned
  const parameters = [
    ...partParameters('path', spec.params, schemas),
    ...partParameters('query', spec.query, schemas),
    ...headerParameters(fn, readsIfNoneMatch, schemas),
  ]
  return {
    ...(parameters.length > 0 && { parameters }),
    ...(spec.body && { requestBody: { required: true, content: requestContent(fn, schemas) } }),
    responses: {
      [String(spec.status ?? 200)]: success(spec, { content: answerContent(spec, schemas), isVersioned }),
      ...(readsIfNoneMatch && { '304': { description: 'The version named by If-None-Match is current' } }),
      ...Object.fromEntries(
        refusals(fn).map(({ status, codes, isCommon }) => [
          String(status),
          codes.length === 0
            ? { $ref: `#/components/responses/Refusal${status}` }
            : refusal(status, [...(isCommon ? [STATUS_DESCRIPTIONS[status]] : []), ...codes].join('; ')),
        ]),
      ),
    },
  }
}

function success(spec: AnyHttpSpec, answer: { content: Content | undefined; isVersioned: boolean }): Answer {
  const string = { type: 'string' }
  const headers = {
    ...(answer.isVersioned && {
      ETag: {
        description: 'The version, in quotes; for If-Match',
        schema: { ...string, pattern: '^"\\d+"$' },
      },
    }),
    ...(spec.cache && {
      'Cache-Control': { description: 'Caching policy', schema: { ...string, const: spec.cache } },
    }),
    ...(spec.location && { Location: { description: 'Path of the new resource', schema: string } }),
    ...(spec.retrySafe && {
      'Idempotency-Replayed': {
        description: 'Present when this is the stored answer of an earlier attempt',
        schema: { ...string, const: 'true' },
      },
    }),
  }
  return {
    description: spec.status === 201 ? 'Created' : spec.status === 204 ? 'Done' : 'Success',
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(answer.content && { content: answer.content }),
  }
}

function answerContent({ output, events, download }: AnyHttpSpec, schemas: Schemas): Content | undefined {
  if (output) {
    const others = (download?.extensions ?? []).filter((extension) => extension !== 'json')
    const texts = others.map((extension) => [
      DOWNLOAD_TYPES[extension].split(';')[0]!,
      { schema: { type: 'string' } },
    ])
    return {
      'application/json': { schema: schemas.schemaOf(output, 'output') },
      ...(Object.fromEntries(texts) as Content),
    }
  }
  if (!events) return undefined
  const data = Object.entries(events).map(([name, schema]) => [name, schemas.schemaOf(schema, 'output')])
  return { 'text/event-stream': { schema: { type: 'string' }, 'x-events': Object.fromEntries(data) } }
}

function requestContent(fn: HttpFunction, schemas: Schemas): Content {
  const body = fn.spec.body as z.ZodType
  const schema = schemas.schemaOf(body, 'body')
  const { examples = [] } = (body.meta() ?? {}) as { examples?: unknown[] }
  const [example] = examples
  const content = { schema, ...(example !== undefined && { example }) }
  return {
    'application/json': content,
    ...(fn.method === 'PATCH' && { 'application/merge-patch+json': content }),
  }
}

function partParameters(place: 'path' | 'query', part: unknown, schemas: Schemas): Parameter[] {
  if (!(part instanceof z.ZodType)) return []
  const object = schemas.resolve(schemas.schemaOf(part, 'input'))
  const required = Array.isArray(object.required) ? object.required : []
  return Object.entries(schemas.propertiesOf(object)).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema,
    // In a URL its entries are separated by commas.
    ...(schema.type === 'array' && { style: 'form' as const, explode: false as const }),
  }))
}

function headerParameters(fn: HttpFunction, readsIfNoneMatch: boolean, schemas: Schemas): Parameter[] {
  const header = (name: string, description: string, schema: JsonSchema): Parameter => ({
    name,
    in: 'header',
    required: false,
    description,
    schema,
  })
  const tags = { type: 'string', examples: ['"4"'] }
  const lastEvent = partParameters('query', fn.spec.query, schemas).find(
    ({ name }) => name === 'last_event_id',
  )
  const key = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' }
  return [
    ...(takesIfMatch(fn)
      ? [
          header('If-Match', 'Versions the write may change (412 otherwise)', tags),
          header('If-None-Match', 'Versions the write may not change; * for any (412)', tags),
        ]
      : []),
    ...(lastEvent
      ? [
          header(
            'Last-Event-ID',
            'The last event the client has; the stream goes on after it',
            lastEvent.schema,
          ),
        ]
      : []),
    ...(readsIfNoneMatch ? [header('If-None-Match', 'Versions the client has (304)', tags)] : []),
    ...(fn.spec.retrySafe ? [header('Idempotency-Key', 'Makes a retry safe for 24 hours', key)] : []),
  ]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
