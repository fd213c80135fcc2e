import { z } from 'zod'
import { editTask, replacementOf } from '../../shared/app/tasks/edit-task.ts'
import { EditScope, TaskId, TaskInput, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PUT /api/tasks/:id',
  also: ['/api/:user_id/tasks/:id'],
  summary: 'Replace a task; omitted fields take their defaults',
  auth: 'tasks:write',
  noTool: 'update_task sets any field; to leave one out by mistake would clear it',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({ scope: EditScope }),
  body: TaskInput,
  output: TaskView,
  handle: ({ params, query, body, write, deps }) =>
    editTask(deps, write, { taskId: params.id, patch: replacementOf(body), scope: query.scope }),
})
