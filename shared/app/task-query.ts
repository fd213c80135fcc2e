import type { Priority, Task } from '../domain/task.ts'

export const TASK_SORTS = ['due_at', 'priority', 'created_at', 'updated_at', 'title', 'position'] as const
export type TaskSort = (typeof TASK_SORTS)[number]
export const SORT_ORDERS = ['asc', 'desc'] as const

export const MAX_PAGE_SIZE = 200
/** Rows that pages can skip over; a cursor goes on from there at the price of a first page. */
export const DEEPEST_ROW = 10_000

/** What narrows a list down. */
export interface TaskFilter {
  /** Words that title and description must hold, the last one possibly unfinished. Any text will do. */
  q: string | null
  status: 'all' | 'active' | 'completed'
  /** Any of these; empty for every priority. */
  priorities: readonly Priority[]
  /** Compared by tagKey. */
  tags: readonly string[]
  tagsMode: 'all' | 'any'
  /** Due at this instant or later. A due date alone counts as the end of that day in the task's zone. */
  dueAfter: Date | null
  /** Due earlier than this. */
  dueBefore: Date | null
  isRecurring: boolean | null
  parentId: string | null
}

/**
 * A validated list request. Within equal values the higher priority comes first, then the smaller id; within a priority
 * what is due first. Tasks without a due date come last, whichever way due dates are sorted. `cursor` and `page` are
 * alternatives; the cursor wins.
 */
export interface TaskQuery extends TaskFilter {
  sortBy: TaskSort
  sortOrder: (typeof SORT_ORDERS)[number]
  page: number
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
