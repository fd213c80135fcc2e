import { z } from 'zod'
import { writeTask } from '../../shared/app/write-task.ts'
import { decideComplete } from '../../shared/domain/close-task.ts'
import { TaskId, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Answers as soon as the task is closed. The next occurrence of a recurring task is made by
// create-next-occurrence, which listens to task.completed.
export default httpFunction({
  route: 'POST /api/tasks/:id/complete',
  summary: 'Complete a task; a recurring one gets its next occurrence moments later',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: TaskId }),
  output: TaskView,
  handle: ({ params, write, deps }) =>
    writeTask(deps, write, params, (state) => decideComplete(state, write.now)),
})
