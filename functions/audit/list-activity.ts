import { z } from 'zod'
import { listActivity } from '../../shared/app/audit/read-audit.ts'
import { ActivityDay } from '../../shared/domain/audit/activity.ts'
import { uuid } from '../../shared/domain/fields.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/activity',
  summary: 'What happened, in sentences by day, newest first',
  auth: 'audit:read',
  uses: ['audit'],
  query: z.strictObject({
    limit: z.int().min(1).max(100).default(50).describe('Entries of a page; several may make one sentence'),
    cursor: z.string().max(200).optional().describe('next_cursor of the previous page, of the same task'),
    task_id: uuid.optional().describe('Only what happened to this task'),
  }),
  output: z
    .object({
      days: z.array(ActivityDay),
      next_cursor: z.string().nullable().describe('Null on the last page'),
    })
    .meta({ id: 'ActivityList' }),
  handle: async ({ query: { limit, cursor = null, task_id: taskId }, actor, deps }) => {
    const resource = taskId === undefined ? null : `task/${taskId}`
    const filter = { resource, since: null, until: null }
    return { body: await listActivity(deps, actor, filter, { limit, cursor }) }
  },
})
