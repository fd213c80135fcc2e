import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { z } from 'zod'
import type { WriteContext } from '../app/ports.ts'
import { DomainError, invalidField } from '../domain/errors.ts'
import { fieldErrors, shortened, summaryOf } from './field-errors.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
const BLANK = 0x20
const JSON_TYPES = /^application\/(json|merge-patch\+json)\s*(;|$)/i

/** More than any request needs (10,000 ids to reorder), and few enough to be checked in some milliseconds. */
export const MAX_BODY_VALUES = 12_000

/**
 * The JSON body and its text, undefined when nothing was sent. 415 for another media type, 400 for what is not UTF-8 or not JSON, 413 for more values
 * than anybody needs.
 */
export async function readJson(c: Context): Promise<{ value: unknown; raw: string }> {
  const type = c.req.header('content-type') ?? ''
  const bytes = await c.req.arrayBuffer()
  // A gateway that must not send an empty body sends a blank (shared/dapr/other-units.ts).
  if (new Uint8Array(bytes).every((byte) => byte === BLANK)) return { value: undefined, raw: '' }
  if (!JSON_TYPES.test(type)) {
    throw new DomainError('request.unsupported_media_type', 'Send the body as application/json.')
  }
  if (!hasFewValues(new Uint8Array(bytes))) {
    throw new DomainError('request.too_large', `The request body holds more than ${MAX_BODY_VALUES} values.`)
  }
  try {
    const raw = decoder.decode(bytes)
    return { value: JSON.parse(raw), raw }
  } catch (cause) {
    throw new DomainError('request.malformed', 'The body is not valid JSON in UTF-8.', { cause })
  }
}

const NOTHING = z.strictObject({})

/** Of a write that takes no body: fields that were sent all the same would be ignored without a word. */
export async function refuseFields(c: Context): Promise<void> {
  // Not even looked at: that would make a complete Request of it.
  if (c.req.header('content-length') === '0') return
  const { value } = await readJson(c)
  if (value !== undefined) parsePart(NOTHING, value)
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b]

/** Counts what begins a value in JSON, without parsing it: that alone would take too long. */
function hasFewValues(json: Uint8Array): boolean {
  if (json.length <= MAX_BODY_VALUES) return true
  let count = 0
  let isInText = false
  for (let at = 0; at < json.length && count <= MAX_BODY_VALUES; at += 1) {
    const byte = json[at]
    if (byte === QUOTE) isInText = !isInText
    else if (isInText) at += byte === BACKSLASH ? 1 : 0
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) count += 1
  }
  return count <= MAX_BODY_VALUES
}

/** What each name of the query is given as. */
export type QueryTexts = Record<string, readonly string[]>

export function readQuery(c: Context): QueryTexts {
  const byName = Map.groupBy(new URL(c.req.url).searchParams, ([name]) => name)
  return Object.fromEntries([...byName].map(([name, pairs]) => [name, pairs.map(([, text]) => text)]))
}

/** 422 for a name that is given twice: one of its values would be lost without a word. */
export function onlyOne(name: string, texts: readonly string[]): string {
  if (texts.length > 1) throw invalidField(shortened(name), 'is given more than once')
  return texts[0] ?? ''
}

/** A member of a list of entity tags (RFC 9110 §8.8.3), or an empty one, which counts for nothing (§5.6.1.2). */
const MEMBER = /[ \t]*(?:((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/gy

/** The entity tags of a list; null when it is none, or has no member. */
function entityTags(list: string): string[] | null {
  const members = [...list.matchAll(MEMBER)]
  const length = members.reduce((sum, [member]) => sum + member.length, 0)
  const tags = members.flatMap(([, tag]) => tag ?? [])
  return length === list.length && tags.length > 0 ? tags : null
}

const malformedTags = (name: string): DomainError =>
  new DomainError('request.malformed', `${name} must be entity tags such as "4", or *.`)

/** Our tags are strong and hold the version; others name none. */
const versionsIn = (tags: readonly string[]): number[] =>
  tags.flatMap((tag) => (/^"\d{1,9}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []))

const comparedWeakly = (tags: readonly string[]): string[] => tags.map((tag) => tag.replace(/^W\//, ''))

/**
 * What a write to one resource asks of its version (RFC 9110 §13.1): weak tags and tags that are not ours match nothing,
 * so with `If-Match` they end as 412; only what is no entity tag is a 400. `If-None-Match: *` no resource fulfils.
 */
export function readPreconditions(c: Context): Pick<WriteContext, 'ifMatch' | 'ifNoneMatch'> {
  const [match, noneMatch] = [c.req.header('if-match'), c.req.header('if-none-match')]
  if (noneMatch?.trim() === '*') return { ifMatch: [], ifNoneMatch: [] }
  const isAny = match === undefined || match.trim() === '*'
  const tags = isAny ? null : entityTags(match)
  if (!isAny && !tags) throw malformedTags('If-Match')
  const others = noneMatch === undefined ? [] : entityTags(noneMatch)
  if (!others) throw malformedTags('If-None-Match')
  return { ifMatch: tags && versionsIn(tags), ifNoneMatch: versionsIn(comparedWeakly(others)) }
}

/** Whether the client of a read has this version already. What is no list of tags is no reason to refuse it. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === '*' || comparedWeakly(entityTags(ifNoneMatch) ?? []).includes(etag)
}

/**
 * The key of a retryable write with a fingerprint of the request it belongs to: route, parameters, precondition and
 * body (draft-ietf-httpapi-idempotency-key-header §2.4).
 */
export function readIdempotency(c: Context, route: string, parts: unknown[]): WriteContext['idempotency'] {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return null
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new DomainError('request.malformed', 'Idempotency-Key must have 1 to 255 visible ASCII characters.')
  }
  const hash = createHash('sha256').update(
    JSON.stringify([route, c.req.header('if-match'), c.req.header('if-none-match'), ...parts]),
  )
  return { key, fingerprint: hash.digest('base64url') }
}

/** Parses one part of a request; the paths of its errors name fields as the client knows them. */
export function parsePart<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  // Without a body, what one must have.
  const ofNothing = value === undefined ? schema.safeParse({}).error : undefined
  const errors = fieldErrors(ofNothing ?? result.error, schema)
  throw new DomainError('request.invalid', summaryOf(errors), { errors })
}
