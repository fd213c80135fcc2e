import { ReorderRequest, ReorderResult, reorderTasks } from '../../shared/app/tasks/reorder-tasks.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/reorder',
  also: ['/api/:user_id/tasks/reorder'],
  summary: 'Put tasks into the given order, or move one before or after another',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['task.not_found'],
  body: ReorderRequest,
  output: ReorderResult,
  handle: ({ body, write, deps }) => reorderTasks(deps, write, body),
})
