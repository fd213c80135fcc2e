import { z } from 'zod'
import { writeTask } from '../../shared/app/write-task.ts'
import { decideDelete } from '../../shared/domain/close-task.ts'
import { TaskId } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/tasks/:id',
  summary: 'Delete a task (it can be restored for 30 days); deleting the open occurrence ends its series',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: TaskId }),
  status: 204,
  handle: ({ params, write, deps }) =>
    writeTask(deps, write, params, (state) => decideDelete(state, write.now)),
})
