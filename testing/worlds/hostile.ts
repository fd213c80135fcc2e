import fc from 'fast-check'
import type { JsonSchema } from '../../shared/openapi/openapi-schemas.ts'
import { exampleOf, follow } from './api-document.ts'
import { anything, instant, rule, text } from '../builders/hostile-values.ts'

/** Arbitraries of requests that want to hurt, made from what the API document says they should be. */

const FORMATS: Record<string, fc.Arbitrary<string>> = {
  'date-time': instant,
  date: instant.map((value) => value.slice(0, 10)),
  uuid: fc.uuid(),
}
const NAMED: Record<string, fc.Arbitrary<string>> = {
  recurrence_rule: rule,
  time_zone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'europe/berlin',
    '+01:00',
    'EST',
  ),
}

/** Values that fit a schema, or nearly, with the extremes it leaves room for; `name` is the property it is for. */
function fitting(given: JsonSchema, name = ''): fc.Arbitrary<unknown> {
  const schema = follow(given)
  const branches = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined
  if (branches) return fc.oneof(...branches.map((branch) => fitting(branch, name)))
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]))
  const types = [schema.type].flat()
  const only = types.find((type) => type !== 'null')
  if (types.length > 1) return fc.oneof(fc.constant(null), fitting({ ...schema, type: only }, name))
  if (only === 'string') return NAMED[name] ?? FORMATS[String(schema.format)] ?? fittingText(schema)
  if (only === 'array') return fc.array(fitting((schema.items ?? {}) as JsonSchema), { maxLength: 25 })
  if (only === 'integer') return fc.integer()
  if (only === 'boolean') return fc.boolean()
  return only === 'object' ? body(schema) : fc.constant(exampleOf(schema))
}

const fittingText = (schema: JsonSchema) =>
  typeof schema.pattern === 'string'
    ? fc.stringMatching(new RegExp(schema.pattern))
    : fc.string({
        unit: 'grapheme',
        minLength: Number(schema.minLength ?? 0),
        maxLength: Math.min(300, Number(schema.maxLength ?? 300)),
      })

/** Fields that make sense with each other only. */
const TOGETHER = ['due_at', 'due_date', 'recurrence_rule', 'time_zone', 'month_end', 'repeat_from']

/** An object of the schema with some optional fields, in which now and then a field is spoiled, or one too many. */
export function body(given: JsonSchema): fc.Arbitrary<unknown> {
  const schema = follow(given)
  const branches = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined
  if (branches) return fc.oneof(...branches.map(body))
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const required = (schema.required ?? []) as string[]
  const optional = Object.keys(properties).filter((name) => !required.includes(name))
  const some = fc.oneof(
    { weight: 2, arbitrary: fc.subarray(optional, { maxLength: Math.min(3, optional.length) }) },
    { weight: 1, arbitrary: fc.subarray(TOGETHER.filter((name) => optional.includes(name))) },
  )
  const field = fc.oneof(fc.constantFrom('x', ...Object.keys(properties)), text)
  const spoiled = fc.array(fc.tuple(field, anything), { minLength: 1, maxLength: 2 })
  return some.chain((names) => {
    const fields = [...required, ...names].map(
      (name) => [name, fitting(properties[name] ?? {}, name)] as const,
    )
    return fc
      .tuple(
        fc.record(Object.fromEntries(fields)),
        fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: spoiled }),
      )
      .map(([fit, changes]) => ({ ...fit, ...Object.fromEntries(changes) }))
  })
}

const deep = (open: string, close: string) => open.repeat(20_000) + close.repeat(20_000)

/** Bodies that are no JSON, no UTF-8, too deep, too long, or JSON of the odd kind. */
export const rawBody = fc.constantFrom<string | Uint8Array<ArrayBuffer>>(
  '',
  ' ',
  '{',
  '{"title":}',
  '{"title":"a"}{}',
  '\ufeff{}',
  'undefined',
  '{"title":"\\ud800"}',
  '{"title":"a","title":7}',
  deep('[', ']'),
  `{"title":${deep('[', ']')}}`,
  '{"a":'.repeat(20_000),
  '{"__proto__":{"title":"x"},"title":"y"}',
  new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]),
  new Uint8Array(1_100_000),
)

const encode = (part: string) => encodeURIComponent(part.toWellFormed())

/** A path segment; `mangled` ones may lead to another route than the one they are put into. */
export const oddSegment = fc.oneof(
  text
    .filter((part) => !/^(\s*|\.{1,2})$/.test(part))
    .map((part) => ({ segment: encode(part), mangled: part.includes('/') })),
  fc
    .constantFrom(
      '..',
      '%2e%2e',
      '..%2f..%2fapi%2fhealth',
      '%',
      '%zz',
      '%00',
      '%c0%ae',
      '%ff',
      '.',
      '%2f',
      ';a=b',
      'a%5cb',
    )
    .map((segment) => ({ segment, mangled: true })),
)

/** A query of documented parameters, fitting or spoiled, and of others. */
export const query = (parameters: readonly { name: string; schema: JsonSchema }[]) => {
  const documented = parameters.map(({ name, schema }) =>
    fc.tuple(fc.constant(name), fc.oneof(fitting(schema, name).map(String), text)),
  )
  const pair = fc.oneof(...documented, fc.tuple(text, text))
  return fc
    .array(pair, { maxLength: 3 })
    .map((pairs) => pairs.map((parts) => parts.map(encode).join('=')).join('&'))
}

const READ = [
  'if-match',
  'if-none-match',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'x-request-id',
] as const

/** Headers that Daybook reads, holding whatever a client can put into one at all (RFC 9110 §5.5). */
export const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Record<string, string>>({}) },
  fc.dictionary(
    fc.constantFrom(...READ, 'accept', 'accept-encoding', 'content-type', 'forwarded', 'host'),
    text.map((part) => part.replaceAll(/[^\t\x20-\x7e\xa0-\xff]/g, '').slice(0, 2000)),
    { maxKeys: 2 },
  ),
)

/** Tokens that nobody issued, made of one that somebody did: unsigned, resigned, altered, cut. */
export function forgeries(token: string, otherUser: string): string[] {
  const b64 = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const [head = '', claims = '', signature = ''] = token.split('.')
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
  const altered = [{ ...said, sub: otherUser }, { ...said, exp: 1 }, { ...said, exp: 1e12 }, [], 'x', null]
  const heads = [
    { alg: 'none' },
    { alg: 'None' },
    { alg: 'HS256' },
    { alg: 'RS256', jku: 'http://127.0.0.1:9/' },
    {},
  ]
  return [
    '',
    'x',
    '..',
    '...',
    '.',
    token.slice(0, -4),
    `${token}x`,
    `${token}.${signature}`,
    'x'.repeat(10_000),
    ...altered.map((other) => `${head}.${b64(other)}.${signature}`),
    ...heads.flatMap((other) => [`${b64(other)}.${claims}.`, `${b64(other)}.${claims}.${signature}`]),
  ]
}
