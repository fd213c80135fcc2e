import { z } from 'zod'
import { deleteTask } from '../../shared/app/tasks/close-task.ts'
import { TaskId } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/tasks/:id',
  also: ['/api/:user_id/tasks/:id'],
  summary:
    'Delete a task with its subtasks (it can be restored for 30 days); deleting the open occurrence ends its series',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  params: z.object({ id: TaskId }),
  status: 204,
  handle: ({ params, write, deps }) => deleteTask(deps, write, params.id),
})
