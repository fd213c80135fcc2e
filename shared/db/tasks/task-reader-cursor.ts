import { z } from 'zod'
import type { TaskQuery, TaskSort } from '../../app/tasks/task-query.ts'
import { cursorAt, readCursor } from '../../domain/cursor.ts'
import { tagKey } from '../../domain/tasks/task.ts'

/** The place of a task in a sorted list: its value in the sort, its priority (0 to 2) and its id. */
export interface CursorKey {
  /**
   * `priority`: the due instant, which comes second there; `completed_at` of an open task: a tilde and the
   * due instant; instants as RFC 3339 text.
   */
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
const placeBy = (value: z.ZodType<CursorKey['value']>) =>
  z
    .tuple([value, z.int().min(0).max(2), z.uuid()])
    .transform(([value, priority, id]) => ({ value, priority, id }))
const PLACES = {
  due_at: placeBy(instant),
  priority: placeBy(instant),
  created_at: placeBy(instant),
  updated_at: placeBy(instant),
  completed_at: placeBy(z.string().refine((value) => instant.safeParse(value.replace(/^~/, '')).success)),
  title: placeBy(title),
  position: placeBy(z.int()),
} satisfies Record<TaskSort, z.ZodType<CursorKey>>

type AnyQuery = TaskQuery & { terms?: unknown }

/**
 * What is the same on every page: filter and order. `terms` follow from `q`, and from how it is spelt just now; the present goes on
 * from page to page.
 */
function listOf({ page: _page, limit: _limit, cursor: _cursor, terms: _terms, ...list }: AnyQuery): object {
  return {
    list: 'tasks',
    ...list,
    due: list.due?.is,
    priorities: list.priorities.toSorted(),
    tags: list.tags.map(tagKey).toSorted(),
  }
}

export const taskCursor = (query: AnyQuery, { value, priority, id }: CursorKey): string =>
  cursorAt(listOf(query), [value, priority, id])

/** Where the page of a query begins; null for the first. `request.invalid` for a cursor with another filter or order. */
export const cursorKeyOf = (query: AnyQuery): CursorKey | null =>
  query.cursor === null ? null : readCursor(listOf(query), PLACES[query.sortBy], query.cursor)
