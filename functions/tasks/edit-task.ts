import { z } from 'zod'
import { editTask } from '../../shared/app/tasks/edit-task.ts'
import { EditScope, TaskId, TaskPatch, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PATCH /api/tasks/:id',
  also: ['/api/:user_id/tasks/:id'],
  summary: 'Change the named fields of a task (merge patch, RFC 7396)',
  auth: 'tasks:write',
  tool: {
    name: 'update_task',
    description:
      'Change fields of a task; those not named stay, null clears. For a recurring task scope says which occurrences change. To complete, reopen, skip or delete one, take the tool of that name.',
  },
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({ scope: EditScope }),
  body: TaskPatch,
  output: TaskView,
  handle: ({ params, query, body, write, deps }) =>
    editTask(deps, write, { taskId: params.id, patch: body, scope: query.scope }),
})
