import { z } from 'zod'
import { reopenTask } from '../../shared/app/tasks/reopen-task.ts'
import { TaskId, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/reopen',
  also: ['/api/:user_id/tasks/:id/reopen'],
  summary: 'Reopen a task and what was completed with it; its next occurrence is removed if it is unchanged',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['task.successor_exists', 'quota.exceeded'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) => reopenTask(deps, write, params.id),
})
