import { z } from 'zod'
import { reopenTask } from '../../shared/app/reopen-task.ts'
import { TaskId, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/reopen',
  summary: 'Open a completed task again; a next occurrence that nobody has touched is taken back',
  auth: 'user',
  retrySafe: true,
  refuses: ['task.successor_exists'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) => reopenTask(deps, write, params.id),
})
