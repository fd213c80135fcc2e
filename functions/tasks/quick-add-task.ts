import { z } from 'zod'
import { quickAddTask } from '../../shared/app/tasks/quick-add-task.ts'
import { QuickAddRequest, QuickAddResult } from '../../shared/domain/quick-add/quick-add-task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/quick-add',
  also: ['/api/:user_id/tasks/quick-add'],
  summary: 'Create a task from one line of text',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  query: z.strictObject({
    dry_run: z
      .boolean()
      .default(false)
      .describe('true: only read the text; nothing is stored, and the status is 200'),
  }),
  body: QuickAddRequest,
  status: 201,
  output: QuickAddResult,
  location: ({ task }: QuickAddResult) => `/api/tasks/${task.id}`,
  handle: async ({ query: { dry_run: isDryRun }, body: request, write, deps }) => {
    const answer = await quickAddTask(deps, write, { request, isDryRun })
    return isDryRun ? Response.json(answer.body) : answer
  },
})
