import { z } from 'zod'
import { restoreTask } from '../../shared/app/tasks/restore-task.ts'
import { TaskId, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/restore',
  also: ['/api/:user_id/tasks/:id/restore'],
  summary: 'Restore a deleted task, what was deleted with it, and its series if that ended with it',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['task.restore_expired', 'quota.exceeded'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) => restoreTask(deps, write, params.id),
})
