import { ReorderRequest, ReorderResult, reorderTasks } from '../../shared/app/reorder-tasks.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/reorder',
  summary: 'Put tasks into the given order, or move one before or after another',
  auth: 'user',
  retrySafe: true,
  refuses: ['task.not_found'],
  body: ReorderRequest,
  output: ReorderResult,
  handle: ({ body, write, deps }) => reorderTasks(deps, write, body),
})
