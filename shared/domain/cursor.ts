import { z } from 'zod'
import { invalidField } from './errors.ts'
import { parseJson } from './parse-json.ts'

/** Of the text of cursors; one of another version is refused. */
const VERSION = 1
const Content = z.tuple([z.literal(VERSION), z.string(), z.unknown()])

/**
 * Where the next page of a list begins, as a text (base64url) that a client gives back unread. `list`, in JSON, is all that
 * decides what stands in the list and in which order: its name, its filter, its sort. The cursor holds for no other.
 */
export const cursorAt = (list: object, place: unknown): string =>
  Buffer.from(JSON.stringify([VERSION, checksum(list), place])).toString('base64url')

/** Reads a cursor of this list; throws `request.invalid` for `cursor` when it is another list's, or none at all. */
export function readCursor<Place>(list: object, place: z.ZodType<Place>, cursor: string): Place {
  const content = Content.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()))
  if (content.success && content.data[1] === checksum(list)) {
    const read = place.safeParse(content.data[2])
    if (read.success) return read.data
  }
  throw invalidField('cursor', 'must be a next_cursor of this list, with the same filter and order')
}

/** FNV-1a, 32 bits: against mistakes, not against those who make up cursors, who get no further than their own lists. */
function checksum(list: object): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(JSON.stringify(list))) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(36)
}
