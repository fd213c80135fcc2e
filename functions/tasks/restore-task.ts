import { z } from 'zod'
import { restoreTask } from '../../shared/app/restore-task.ts'
import { TaskId, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/restore',
  summary: 'Bring back a deleted task, and its series if that ended with it',
  auth: 'user',
  retrySafe: true,
  refuses: ['task.restore_expired'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) => restoreTask(deps, write, params.id),
})
