import { z } from 'zod'
import {
  DEEPEST_ROW,
  MAX_PAGE_SIZE,
  SORT_ORDERS,
  TASK_SORTS,
  type TaskSort,
} from '../../shared/app/task-query.ts'
import { instant, text, uuid } from '../../shared/domain/fields.ts'
import { MAX_TAGS, PRIORITIES, taskView, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

/** The direction people expect of a sort when they name none. */
const USUAL_ORDER = {
  due_at: 'asc',
  priority: 'desc',
  created_at: 'desc',
  updated_at: 'desc',
  title: 'asc',
  position: 'asc',
} as const satisfies Record<TaskSort, 'asc' | 'desc'>

const separated = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z
    .string()
    .transform((list) => list.split(',').filter((entry) => entry.trim() !== ''))
    .pipe(z.array(item).max(MAX_TAGS))

const ListQuery = z
  .strictObject({
    q: z
      .string()
      .trim()
      .optional()
      .describe(
        'Words in title or description, the last may be unfinished; accents do not matter and slips of the pen are forgiven',
      ),
    status: z.enum(['all', 'active', 'completed']).default('all'),
    priority: separated(z.enum(PRIORITIES)).default([]).describe('Any of these, separated by commas'),
    tags: separated(text(1, 50)).default([]).describe('Separated by commas; case does not matter'),
    tags_mode: z.enum(['all', 'any']).default('all'),
    due_after: instant.optional().describe('Due at this instant or later'),
    due_before: instant.optional().describe('Due earlier than this'),
    is_recurring: z.enum(['true', 'false']).optional(),
    parent_id: uuid.optional(),
    sort_by: z.enum(TASK_SORTS).default('due_at').describe('Also the order of search results'),
    sort_order: z
      .enum(SORT_ORDERS)
      .optional()
      .describe('By default descending for priority, created_at and updated_at, ascending for the others'),
    page: z.coerce.number().int().min(1).default(1),
    limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(50),
    cursor: z.string().max(4000).optional().describe('next_cursor of the page before; wins over page'),
  })
  .refine(({ page, limit }) => page * limit <= DEEPEST_ROW, {
    path: ['page'],
    message: `reaches beyond the first ${DEEPEST_ROW} tasks; follow next_cursor instead`,
  })

const TaskList = z
  .object({
    items: z.array(TaskView),
    page: z.int().nullable().describe('Null for a page that a cursor led to'),
    limit: z.int(),
    total: z.int().describe('Matching tasks; with a filter they are counted up to 1,000'),
    total_is_exact: z.boolean().describe('False when there are more than total says'),
    next_cursor: z.string().nullable().describe('Null on the last page'),
  })
  .meta({ id: 'TaskList' })

export default httpFunction({
  route: 'GET /api/tasks',
  summary: 'List, filter and search tasks',
  auth: 'user',
  query: ListQuery,
  output: TaskList,
  handle: async ({ query, actor, deps }) => {
    const { page, limit } = query
    const found = await deps.tasks.list(actor.userId, {
      q: query.q || null,
      status: query.status,
      priorities: [...new Set(query.priority)],
      tags: query.tags,
      tagsMode: query.tags_mode,
      dueAfter: query.due_after ?? null,
      dueBefore: query.due_before ?? null,
      isRecurring: query.is_recurring === undefined ? null : query.is_recurring === 'true',
      parentId: query.parent_id ?? null,
      sortBy: query.sort_by,
      sortOrder: query.sort_order ?? USUAL_ORDER[query.sort_by],
      page,
      limit,
      cursor: query.cursor ?? null,
    })
    return {
      body: {
        items: found.items.map(taskView),
        page: query.cursor === undefined ? page : null,
        limit,
        total: found.total,
        total_is_exact: found.isTotalExact,
        next_cursor: found.nextCursor,
      },
    }
  },
})
