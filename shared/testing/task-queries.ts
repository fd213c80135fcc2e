import type { TaskQuery } from '../app/task-query.ts'

/** All tasks of a user as a list begins without any parameter. */
export const EVERYTHING: TaskQuery = {
  ...{ q: null, status: 'all', priorities: [], tags: [], tagsMode: 'all', dueAfter: null, dueBefore: null },
  ...{
    isRecurring: null,
    parentId: null,
    sortBy: 'due_at',
    sortOrder: 'asc',
    page: 1,
    limit: 50,
    cursor: null,
  },
}
