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
  tool: {
    description:
      'Delete a task with its subtasks; restore_task brings it back for 30 days. Deleting the open occurrence of a recurring task ends its series: to leave out one occurrence take skip_occurrence. A task that is done is completed, not deleted.',
  },
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  params: z.object({ id: TaskId }),
  status: 204,
  handle: ({ params, write, deps }) => deleteTask(deps, write, params.id),
})
