import { z } from 'zod'
import { writeTask } from '../../shared/app/write-task.ts'
import { decideSkip } from '../../shared/domain/close-task.ts'
import { TaskId, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/tasks/:id/skip',
  summary: 'Leave out this occurrence of a recurring task; the next one follows',
  auth: 'user',
  retrySafe: true,
  refuses: ['task.not_recurring'],
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) =>
    writeTask(deps, write, params, (state) => decideSkip(state, write.now)),
})
