import type { Priority, Task } from '../domain/task.ts'

export const TASK_SORTS = ['due_at', 'priority', 'created_at', 'updated_at', 'title', 'position'] as const
export type TaskSort = (typeof TASK_SORTS)[number]

/** A validated list request. `cursor` and `page` are alternatives; the cursor wins. */
export interface TaskQuery {
  q: string | null
  status: 'all' | 'active' | 'completed'
  priorities: readonly Priority[]
  /** Compared by tagKey. */
  tags: readonly string[]
  tagsMode: 'all' | 'any'
  dueAfter: Date | null
  dueBefore: Date | null
  isRecurring: boolean | null
  parentId: string | null
  sortBy: TaskSort
  sortOrder: 'asc' | 'desc'
  page: number
  limit: number
  cursor: string | null
}

export interface TaskPage {
  items: Task[]
  total: number
  nextCursor: string | null
}
