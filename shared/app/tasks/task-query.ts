import type { DueState } from '../../domain/tasks/due-state.ts'
import type { Priority, Task } from '../../domain/tasks/task.ts'

export const TASK_SORTS = [
  'due_at',
  'priority',
  'created_at',
  'updated_at',
  'completed_at',
  'title',
  'position',
] as const
export type TaskSort = (typeof TASK_SORTS)[number]
export const SORT_ORDERS = ['asc', 'desc'] as const

export const MAX_PAGE_SIZE = 200
/** Rows that pages can skip over; a cursor goes on from there at the price of a first page. */
export const MAX_ROW = 10_000

export interface TaskFilter {
  /** Words that title and description must hold, the last one possibly unfinished. Any text will do. */
  q: string | null
  status: 'all' | 'active' | 'completed' | 'deleted'
  /** Any of these; empty for every priority. */
  priorities: readonly Priority[]
  /** Compared by tagKey. */
  tags: readonly string[]
  tagsMode: 'all' | 'any'
  /** Due at this instant or later. A due date alone counts as the end of that day in the task's zone. */
  dueAfter: Date | null
  dueBefore: Date | null
  due: DueState | null
  completedAfter: Date | null
  completedBefore: Date | null
  isRecurring: boolean | null
  parentId: string | null
  isTopLevel: boolean
}

/**
 * A validated list request. Within equal values the higher priority comes first, then the smaller id; within a priority
 * what is due first. Tasks without a due date come last, whichever way due dates are sorted; by completion the open ones come
 * last, as due dates are sorted. `cursor` and `page` are
 * alternatives; the cursor wins. Without a `page` fewer than `limit` tasks come when those take about 1 MB, and the cursor
 * leads to the rest. A page by number has to be whole, as the next one begins after it: `request.invalid` where it is
 * larger.
 */
export interface TaskQuery extends TaskFilter {
  sortBy: TaskSort
  sortOrder: (typeof SORT_ORDERS)[number]
  page: number | null
  limit: number
  cursor: string | null
}

export interface TaskPage {
  items: Task[]
  total: number
  /** False when there are more than the `total` that were counted. */
  isTotalExact: boolean
  nextCursor: string | null
}
