import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { WriteContext } from '../app/ports.ts'
import { DomainError, invalidField } from '../domain/errors.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
const JSON_TYPES = /^application\/(json|merge-patch\+json)\s*(;|$)/i

/** The JSON body and its text. 415 for another media type, 400 for what is not UTF-8 or not JSON. */
export async function readJson(c: Context): Promise<{ value: unknown; raw: string }> {
  const type = c.req.header('content-type') ?? ''
  const bytes = await c.req.arrayBuffer()
  if (!JSON_TYPES.test(type)) {
    throw new DomainError('request.unsupported_media_type', 'Send the body as application/json.')
  }
  try {
    const raw = decoder.decode(bytes)
    return { value: JSON.parse(raw), raw }
  } catch (cause) {
    throw new DomainError('request.malformed', 'The body is not valid JSON in UTF-8.', { cause })
  }
}

/** Query parameters as an object. 422 for a name that is given twice: one of its values would be lost without a word. */
export function readQuery(c: Context): Record<string, string> {
  const { searchParams } = new URL(c.req.url)
  const query = Object.fromEntries(searchParams)
  const twice = Object.keys(query).find((name) => searchParams.getAll(name).length > 1)
  if (twice !== undefined) throw invalidField(twice, 'is given more than once; several values go with commas')
  return query
}

/** An entity tag (RFC 9110 §8.8.3); ours are strong and hold the version. */
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

/**
 * Versions named by `If-Match` (RFC 9110 §13.1.1), or null when any version will do. Weak tags and tags that are not
 * ours match nothing, so they end as 412; only what is no entity tag is a 400.
 */
export function readIfMatch(header: string | undefined): number[] | null {
  if (header === undefined || header.trim() === '*') return null
  const tags = header.split(',').map((tag) => tag.trim())
  if (!tags.every((tag) => ENTITY_TAG.test(tag))) {
    throw new DomainError('request.malformed', 'If-Match takes entity tags such as "4", or *.')
  }
  return tags.flatMap((tag) => (/^"\d{1,9}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []))
}

/**
 * The key of a retryable write with a fingerprint of the request it belongs to: route, parameters, precondition and
 * body (draft-ietf-httpapi-idempotency-key-header §2.4).
 */
export function readIdempotency(c: Context, route: string, parts: unknown[]): WriteContext['idempotency'] {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return null
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new DomainError('request.malformed', 'Idempotency-Key takes 1 to 255 visible ASCII characters.')
  }
  const hash = createHash('sha256').update(
    JSON.stringify([route, c.req.header('if-match') ?? null, ...parts]),
  )
  return { key, fingerprint: hash.digest('base64url') }
}

/** Parses one part of a request; the paths of its errors name fields as the client knows them. */
export function parsePart<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw result.error
}
