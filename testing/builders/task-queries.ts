import type { TaskQuery } from '../../shared/app/tasks/task-query.ts'

/** All tasks of a user as a list begins without any parameter. */
export const EVERYTHING: TaskQuery = {
  q: null,
  status: 'all',
  priorities: [],
  tags: [],
  tagsMode: 'all',
  dueAfter: null,
  dueBefore: null,
  due: null,
  completedAfter: null,
  completedBefore: null,
  isRecurring: null,
  parentId: null,
  isTopLevel: false,
  sortBy: 'due_at',
  sortOrder: 'asc',
  page: 1,
  limit: 50,
  cursor: null,
}
