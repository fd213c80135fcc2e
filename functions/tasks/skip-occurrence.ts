import { z } from 'zod'
import { skipOccurrence } from '../../shared/app/tasks/close-task.ts'
import { TaskId, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/skip',
  also: ['/api/:user_id/tasks/:id/skip'],
  summary: 'Skip this occurrence of a recurring task; the next one is created',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['task.not_recurring', 'quota.exceeded'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) => skipOccurrence(deps, write, params.id),
})
