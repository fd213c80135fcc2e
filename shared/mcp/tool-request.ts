import { createHash } from 'node:crypto'
import { invalidField } from '../domain/errors.ts'
import { uuid } from '../domain/fields.ts'
import type { Tool } from './tool.ts'

export type ToolArguments = Record<string, unknown>

/** The request to the function of a tool, without what says who asks. */
export interface ToolRequest {
  method: string
  /** With the query. */
  path: string
  headers: Record<string, string>
  body?: string
}

/** Throws `request.invalid` for what the tool has no place for; whether the rest is right is the function's to say. */
export function toolRequest(tool: Tool, given: ToolArguments, idempotencyKey: string | null): ToolRequest {
  const { call, inputSchema } = tool
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(inputSchema.properties, name)) throw invalidField(name, 'is no argument of this tool')
  }
  for (const name of inputSchema.required ?? []) {
    if (given[name] === undefined) throw invalidField(name, 'is required')
  }
  const all = { ...call.defaults, ...given }
  const { if_version: version } = given
  if (version !== undefined && !Number.isSafeInteger(version)) {
    throw invalidField('if_version', 'must be a whole number')
  }
  return {
    method: call.method,
    path: pathOf(call, all),
    headers: {
      ...(call.body && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== null && { 'idempotency-key': idempotencyKey }),
      ...(version !== undefined && { 'if-match': `"${textOf(version)}"` }),
    },
    ...(call.body && { body: JSON.stringify(pick(all, call.body)) }),
  }
}

const pick = (all: ToolArguments, names: readonly string[]): ToolArguments =>
  Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])))

function pathOf({ path, params, query }: Tool['call'], all: ToolArguments): string {
  // Of '..' or nothing another path would be made.
  for (const name of Object.keys(params)) {
    if (!uuid.safeParse(all[name]).success) throw invalidField(name, 'must be the id (a UUID)')
  }
  const filled = Object.entries(params).reduce(
    (text, [name, parameter]) => text.replace(`:${parameter}`, encodeURIComponent(textOf(all[name]))),
    path,
  )
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(pick(all, query))) {
    if (!Array.isArray(value)) search.append(name, textOf(value))
    else for (const entry of value) search.append(name, textOf(entry))
    // Otherwise the commas of a single one would part it (shared/kit/query-values.ts).
    if (Array.isArray(value) && value.length === 1) search.append(name, '')
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/**
 * The key of a call: of the caller, or derived from the call itself, so that one that is sent again is the same one. Null where doing
 * it twice is doing it once, or a read.
 */
export function idempotencyKey(
  tool: Tool,
  given: ToolArguments,
  principal: string,
): { key: string; isDerived: boolean } | null {
  const { takesIdempotencyKey, creates } = tool.call
  const { idempotency_key: own, ...others } = given
  if (own !== undefined && typeof own !== 'string') throw invalidField('idempotency_key', 'must be a text')
  if (!takesIdempotencyKey) return null
  if (own !== undefined) return { key: digest([principal, tool.name, own]), isDerived: false }
  return creates ? { key: digest([principal, tool.name, canonical(others)]), isDerived: true } : null
}

const digest = (parts: unknown[]): string =>
  `tool-${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`

/** Whatever the order in which a model names the fields. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, each]): [string, unknown] => [name, canonical(each)])
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
}
