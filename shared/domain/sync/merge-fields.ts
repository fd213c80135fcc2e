import { z } from 'zod'
import type { TaskPatch, TaskView } from '../tasks/task.ts'

/** A field that somebody else has changed meanwhile to something else. The later write counts, which is this one. */
export const FieldConflict = z.object({
  field: z.string(),
  base: z.unknown().describe('What the client changed'),
  theirs: z.unknown().describe('What it had become'),
  yours: z.unknown(),
  kept: z.literal('yours'),
})
export type FieldConflict = z.infer<typeof FieldConflict>

/**
 * A three-way merge: of the fields that a client sends only those count that it has changed since `base`, what it knew. One
 * without a base is written as it is.
 */
export function mergeFields(
  present: TaskView,
  base: Readonly<Record<string, unknown>>,
  fields: TaskPatch,
): { patch: TaskPatch; conflicts: FieldConflict[] } {
  const patch: Record<string, unknown> = {}
  const conflicts: FieldConflict[] = []
  for (const [field, yours] of Object.entries(fields)) {
    const known = Object.hasOwn(base, field)
    if (known && isSame(yours, base[field])) continue
    patch[field] = yours
    const theirs = (present as Record<string, unknown>)[field] ?? null
    if (known && !isSame(theirs, base[field]) && !isSame(theirs, yours)) {
      conflicts.push({ field, base: base[field], theirs, yours, kept: 'yours' })
    }
  }
  return { patch, conflicts }
}

/** Of the values of fields, which hold no objects. */
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
