import { z } from 'zod'
import {
  MAX_ROW,
  MAX_PAGE_SIZE,
  SORT_ORDERS,
  TASK_SORTS,
  type TaskFilter,
  type TaskSort,
} from '../../shared/app/tasks/task-query.ts'
import { dateOrMoment, text, uuid } from '../../shared/domain/fields.ts'
import { DUE_STATES, dueState } from '../../shared/domain/tasks/due-state.ts'
import { MAX_TAGS, PRIORITIES, taskView, TaskView } from '../../shared/domain/tasks/task.ts'
import { beginningOf } from '../../shared/domain/recurrence/wall-clock.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

/** The direction people expect of a sort when they name none. */
const USUAL_ORDER = {
  due_at: 'asc',
  priority: 'desc',
  created_at: 'desc',
  updated_at: 'desc',
  completed_at: 'desc',
  title: 'asc',
  position: 'asc',
} as const satisfies Record<TaskSort, 'asc' | 'desc'>

const ListQuery = z
  .strictObject({
    q: z
      .string()
      .trim()
      .optional()
      .describe(
        'Words in title or description; the last may be incomplete, case and accents are ignored and typos are tolerated. Chinese, Japanese, Thai … words are found anywhere in a run, and signs such as C++, .net, #tag or an emoji as they are',
      ),
    status: z
      .enum(['all', 'active', 'completed', 'deleted'])
      .default('all')
      .describe('`all` of those not deleted; deleted ones can be restored for 30 days'),
    priority: z.array(z.enum(PRIORITIES)).max(MAX_TAGS).default([]).describe('Any of these'),
    tags: z
      .array(text(1, 50))
      .max(MAX_TAGS)
      .default([])
      .describe(
        'Case-insensitive. One parameter with commas, or one for each tag, which then may hold commas; such a tag alone: ?tags=a,b&tags=',
      ),
    tags_mode: z.enum(['all', 'any']).default('all'),
    due_after: dateOrMoment
      .optional()
      .describe("Due at this time or later; a local time or date is in the user's time zone"),
    due_before: dateOrMoment
      .optional()
      .describe(
        "Due earlier than this; a date excludes that day. A task due on a day is due when that day ends in the task's own time zone",
      ),
    due: z
      .enum(DUE_STATES)
      .optional()
      .describe(
        'overdue: open and past due; today: due today, passed or not; none: not due. In the time zone of the user, where a due date counts by its day',
      ),
    completed_after: dateOrMoment.optional().describe('Completed at this time or later'),
    completed_before: dateOrMoment
      .optional()
      .describe('Completed earlier than this; a date excludes that day'),
    is_recurring: z.boolean().optional(),
    parent_id: uuid.optional().describe('Subtasks of this task'),
    top_level: z.boolean().default(false).describe('Only tasks that are not subtasks'),
    sort_by: z
      .enum(TASK_SORTS)
      .default('due_at')
      .describe('Also the order of search results. completed_at: open tasks come last'),
    sort_order: z
      .enum(SORT_ORDERS)
      .optional()
      .describe(
        'By default descending for priority, created_at, updated_at and completed_at, ascending for the others',
      ),
    page: z
      .int()
      .min(1)
      .optional()
      .describe(
        'The first by default. Rejected where its tasks take more than about 1 MB: follow next_cursor instead',
      ),
    limit: z.int().min(1).max(MAX_PAGE_SIZE).default(50),
    cursor: z
      .string()
      .max(4000)
      .optional()
      .describe(
        'next_cursor of the previous page, with the same filter and order; takes precedence over page',
      ),
  })
  .refine(({ page = 1, limit }) => page * limit <= MAX_ROW, {
    path: ['page'],
    message: `reaches beyond the first ${MAX_ROW} tasks; follow next_cursor instead`,
  })
  .refine(({ due, status }) => due !== 'overdue' || status === 'all' || status === 'active', {
    path: ['due'],
    message: 'cannot be overdue with this status: overdue tasks are open',
  })
  .refine((query) => !isCompleted(query) || (query.status !== 'active' && query.due !== 'overdue'), {
    path: ['completed_after'],
    message: 'is for completed tasks; open ones are asked for',
  })

const isCompleted = (query: { completed_after?: unknown; completed_before?: unknown }) =>
  query.completed_after !== undefined || query.completed_before !== undefined

/** What a filter is about says the status, too, which shortens the search. */
function statusOf({ status, ...query }: z.output<typeof ListQuery>): TaskFilter['status'] {
  if (status !== 'all') return status
  if (query.due === 'overdue') return 'active'
  return isCompleted(query) ? 'completed' : 'all'
}

const TaskList = z
  .object({
    items: z.array(TaskView),
    page: z
      .int()
      .nullable()
      .describe(
        'Null for a page by cursor, or one that has fewer than `limit` tasks because they take about 1 MB',
      ),
    limit: z.int(),
    total: z.int().describe('Matching tasks; with a filter they are counted up to 1,000'),
    total_is_exact: z.boolean().describe('False when there are more than total says'),
    next_cursor: z.string().nullable().describe('Null on the last page only'),
  })
  .meta({ id: 'TaskList' })

export default httpFunction({
  route: 'GET /api/tasks',
  also: ['/api/:user_id/tasks'],
  summary: 'List, filter and search tasks',
  auth: 'tasks:read',
  tool: [
    {
      description:
        'List tasks by status, due time, tags, priority. Open ones: status active. Today: due today; late: due overdue. For words in a text take search_tasks.',
      without: ['q', 'page'],
      defaults: { limit: 20 },
    },
    {
      name: 'search_tasks',
      description: 'Find tasks by words in title and description; typos are tolerated.',
      needs: ['q'],
      without: [
        'page',
        'completed_after',
        'completed_before',
        'is_recurring',
        'parent_id',
        'top_level',
        'sort_by',
        'sort_order',
        'tags_mode',
      ],
      defaults: { limit: 20 },
    },
  ],
  uses: ['tasks'],
  weight: 2,
  query: ListQuery,
  output: TaskList,
  handle: async ({ query, actor, deps }) => {
    const { limit } = query
    const found = await deps.tasks.list(actor.userId, {
      q: query.q || null,
      status: statusOf(query),
      priorities: [...new Set(query.priority)],
      tags: query.tags,
      tagsMode: query.tags_mode,
      dueAfter: beginningOf(query.due_after, actor.timeZone),
      dueBefore: beginningOf(query.due_before, actor.timeZone),
      due: query.due ? dueState(query.due, deps.clock.now(), actor.timeZone) : null,
      completedAfter: beginningOf(query.completed_after, actor.timeZone),
      completedBefore: beginningOf(query.completed_before, actor.timeZone),
      isRecurring: query.is_recurring ?? null,
      parentId: query.parent_id ?? null,
      isTopLevel: query.top_level,
      sortBy: query.sort_by,
      sortOrder: query.sort_order ?? USUAL_ORDER[query.sort_by],
      page: query.page ?? null,
      limit,
      cursor: query.cursor ?? null,
    })
    const isCut = found.nextCursor !== null && found.items.length < limit
    return {
      body: {
        items: found.items.map(taskView),
        page: query.cursor !== undefined || isCut ? null : (query.page ?? 1),
        limit,
        total: found.total,
        total_is_exact: found.isTotalExact,
        next_cursor: found.nextCursor,
      },
    }
  },
})
