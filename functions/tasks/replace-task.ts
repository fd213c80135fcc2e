import { z } from 'zod'
import { editTask, replacementOf } from '../../shared/app/edit-task.ts'
import { EditScope, TaskId, TaskInput, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PUT /api/tasks/:id',
  summary: 'Replace a task; fields left out take their defaults',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: TaskId }),
  query: z.strictObject({ scope: EditScope }),
  body: TaskInput,
  output: TaskView,
  handle: ({ params, query, body, write, deps }) =>
    editTask(deps, write, { taskId: params.id, patch: replacementOf(body), scope: query.scope }),
})
