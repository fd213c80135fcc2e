import { z } from 'zod'
import type { TaskQuery, TaskSort } from '../app/task-query.ts'
import { invalidField } from '../domain/errors.ts'

/** The place of a task in a sorted list: its value in the sort, its priority (0 to 2) and its id. */
export interface Place {
  /** `title`: in lower case; `priority`: the due instant, which comes second there; instants as RFC 3339 text. */
  value: string | number
  priority: number
  id: string
}

const instant = z.iso
  .datetime({ precision: 3 })
  .refine((value) => value >= '1900' && value <= '9999-12-31T23:59:59.999Z')
const title = z
  .string()
  .max(1000)
  .refine((value) => value.isWellFormed() && !value.includes('\u0000'))
const VALUES = {
  due_at: instant,
  priority: instant,
  created_at: instant,
  updated_at: instant,
  title,
  position: z.int(),
} satisfies Record<TaskSort, z.ZodType>

type Order = Pick<TaskQuery, 'sortBy' | 'sortOrder'>

/** An opaque text (base64url) that stands for a place in one order. */
export function cursorAt({ sortBy, sortOrder }: Order, place: Place): string {
  const content = [sortBy, sortOrder, place.value, place.priority, place.id]
  return Buffer.from(JSON.stringify(content)).toString('base64url')
}

/** Reads a cursor of the same order; throws `request.invalid` for `cursor` when it is another's or no cursor at all. */
export function placeOf({ sortBy, sortOrder }: Order, cursor: string): Place {
  const content = z.tuple([
    ...[z.literal(sortBy), z.literal(sortOrder), VALUES[sortBy], z.int().min(0).max(2), z.uuid()],
  ] as const)
  const read = content.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()))
  if (!read.success) throw invalidField('cursor', 'must be a next_cursor of a list in the same order')
  const [, , value, priority, id] = read.data
  return { value, priority, id }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no cursor, which the schema then says
  }
}
